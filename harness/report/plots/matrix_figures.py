"""A matrix' measurements as figures: one row per system, and cost over the number of servers."""

from collections.abc import Iterator, Sequence

from harness.model.finding import Verdict
from harness.model.measurements.matrix_measurements import MatrixMeasurements, Spread
from harness.report.plots import palette
from harness.report.plots.drawing import SETTINGS, Drawing, draw
from harness.report.plots.row_plots import Row, RowPlot, draw_rows
from harness.report.plots.sweep_plots import Line, Plot, Point, draw_plot
from harness.report.text.quantities import figure, listed

_SERIES = (
    palette.SERVERS,
    palette.BROKER,
    palette.DATABASE,
    palette.OTHERS[0],
    palette.OTHERS[1],
    palette.LOAD,
    palette.OTHERS[2],
    palette.MACHINE,
)


def matrix_drawings(verdict: Verdict) -> tuple[Drawing, ...]:
    """Every figure that the matrix' measurements give."""
    matrix = verdict.matrix
    if matrix is None:
        return ()
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        rows = tuple(
            draw(draw_rows(plot), name=plot.name, title=plot.title, group="matrix", summary=_row_summary(plot))
            for plot in _row_plots(matrix)
            if plot.rows
        )
        cost = _cost(matrix)
        if not cost.lines:
            return rows
        drawn = draw(draw_plot(cost), name=cost.name, title=cost.title, group="matrix", summary=_cost_summary(cost))
        return (*rows, drawn)


def _row_plots(matrix: MatrixMeasurements) -> Iterator[RowPlot]:
    systems = matrix.systems
    yield RowPlot(
        name="latency_by_system",
        title="Delivery latency by system",
        unit=f"ms, {matrix.latency_scenario}; lines: lowest to highest end of the 95 % intervals",
        series=("P50", "P95", "P99"),
        colours=palette.DELIVERY,
        rows=_rows((one.system, (one.p50_ms, one.p95_ms, one.p99_ms)) for one in systems),
        log=True,
    )
    yield RowPlot(
        name="fan_out_by_system",
        title="From publication to receipt by another server",
        unit="ms",
        series=("P50", "P99"),
        colours=(palette.RECOVERED[0], palette.RECOVERED[2]),
        rows=_rows((one.system, (one.fan_out_p50_ms, one.fan_out_p99_ms)) for one in systems),
        log=True,
    )
    yield RowPlot(
        name="recovery_by_system",
        title="Recovery time by system",
        unit="s, from the moment when the broken part was back to the last delivery that it held up",
        series=("recovery",),
        colours=(palette.RECOVERED[1],),
        rows=_rows((one.system, (one.recovery_s,)) for one in systems),
    )
    yield RowPlot(
        name="loss_by_write_path",
        title="Acknowledged messages that were never stored",
        unit="messages, over all cells",
        series=("not stored",),
        colours=(palette.LIMIT,),
        rows=_rows((name, (_counted(lost),)) for name, lost in _losses(matrix)),
    )


def _rows(found: "Iterator[tuple[str, tuple[Spread | None, ...]]]") -> tuple[Row, ...]:
    return tuple(Row(name=name, values=values) for name, values in found if any(values))


def _losses(matrix: MatrixMeasurements) -> Iterator[tuple[str, int]]:
    """By write path, over all systems that were run."""
    for name in dict.fromkeys(one.write_path for one in matrix.systems if one.expected):
        yield name, sum(one.not_stored for one in matrix.systems if one.write_path == name)


def _counted(number: int) -> Spread:
    return Spread(value=number, low=number, high=number, cells=1)


def _cost(matrix: MatrixMeasurements) -> Plot:
    lines = tuple(
        Line(
            name=one.system,
            colour=_SERIES[index % len(_SERIES)],
            points=tuple(
                Point(
                    servers=at.servers,
                    value=at.cpu_us_per_delivery.value,
                    low=at.cpu_us_per_delivery.low,
                    high=at.cpu_us_per_delivery.high,
                )
                for at in one.cost
            ),
            dashed=index >= len(_SERIES),
        )
        for index, one in enumerate(matrix.systems)
        if len(one.cost) > 1
    )
    return Plot(name="cost_by_servers", title="CPU per delivery over the number of servers", unit="µs", lines=lines)


def _row_summary(plot: RowPlot) -> str:
    parts = []
    for row in plot.rows:
        known = zip(plot.series, row.values, strict=True)
        parts.append(f"{row.name}: " + ", ".join(f"{name} {figure(at.value)}" for name, at in known if at is not None))
    return f"{listed(parts)} ({plot.unit.split(';')[0]})"


def _cost_summary(plot: Plot) -> str:
    parts: Sequence[str] = [
        f"{line.name}: {figure(line.points[0].value)} at {line.points[0].servers}, "
        f"{figure(line.points[-1].value)} at {line.points[-1].servers} servers"
        for line in plot.lines
    ]
    return f"{listed(parts)} ({plot.unit})"
