"""A sweep's measurements as figures over the server count."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.model.finding import Verdict
from harness.report.plots import palette
from harness.report.plots.drawing import SETTINGS, Drawing, draw
from harness.report.plots.sweep_plots import Line, Plot, Point, draw_plot
from harness.report.text.lookup import limit_ms, part, rows, value
from harness.report.text.quantities import figure, listed, number

CURVES = {"constant": "constant rate", "weak": "weak scaling"}
_COLOURS = {"constant": palette.SERVERS, "weak": palette.OTHERS[1]}


def sweep_drawings(verdict: Verdict) -> tuple[Drawing, ...]:
    """Every figure that the sweep's measurements give."""
    plots = [plot for plot in _plots(verdict) if any(line.points for line in plot.lines)]
    if not plots:
        return ()
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        return tuple(
            draw(draw_plot(plot), name=plot.name, title=plot.title, group="scaling", summary=_summary(plot))
            for plot in plots
        )


def _plots(verdict: Verdict) -> Iterator[Plot]:
    sweep = part(verdict.measurements, "sweep")
    runs, fits = rows(sweep, "runs"), rows(sweep, "fits")
    limit = limit_ms(verdict, "latency_ms", "p99")
    for curve, words in CURVES.items():
        lines = tuple(
            Line(name=name, colour=palette.DELIVERY[index], points=_latency(runs, curve, name.lower()))
            for index, name in enumerate(("P50", "P95", "P99"))
        )
        yield _plot(
            f"latency_{curve}",
            f"Delivery latency, {words}",
            "ms, P99 with its 95 % interval within the run",
            lines,
            limit=limit,
            limit_words="" if limit is None else f"limit P99 {figure(limit)} ms",
        )
    for name, title, unit, path in (
        ("broker_cpu", "Redis: CPU per message", "µs", ("broker", "cpu_us_per_message")),
        ("broker_bandwidth", "Redis: bytes out per message", "bytes", ("broker", "net_out_bytes_per_message")),
        ("system_cpu", "CPU of servers, Redis and PostgreSQL per message", "µs", ("cpu_us_per_message",)),
    ):
        yield _plot(name, title, unit, _by_curve(runs, path, fits))
    yield _plot("delivery_cpu", "CPU per delivery", "µs", _by_curve(runs, ("cpu_us_per_delivery",)))
    for name, title, path in (
        ("broker_cpu_cores", "Redis: CPU", ("broker", "cpu_cores")),
        ("broker_bandwidth_hz", "Redis: bytes out per second", ("broker", "net_out_bytes_hz")),
    ):
        yield _plot(name, title, "cores" if path[-1] == "cpu_cores" else "bytes/s", _by_curve(runs, path))
    yield _plot("queries", "PostgreSQL: duration of the most frequent statement", "ms, constant rate", _queries(runs))
    yield _plot("efficiency", "Efficiency", "deliveries/s per server, share of the fewest servers'", _efficiency(sweep))


def _plot(
    name: str, title: str, unit: str, lines: Sequence[Line], *, limit: float | None = None, limit_words: str = ""
) -> Plot:
    shown = tuple(line for line in lines if line.points)
    return Plot(name=name, title=title, unit=unit, lines=shown, limit=limit, limit_words=limit_words)


def _latency(runs: Sequence[Mapping[str, Any]], curve: str, statistic: str) -> tuple[Point, ...]:
    return tuple(
        Point(
            servers=int(servers),
            value=found,
            low=value(row, "latency_ms", f"{statistic}_low"),
            high=value(row, "latency_ms", f"{statistic}_high"),
        )
        for row in runs
        if row.get("curve") == curve
        and (servers := number(row.get("servers"))) is not None
        and (found := value(row, "latency_ms", statistic)) is not None
    )


def _by_curve(
    runs: Sequence[Mapping[str, Any]], path: tuple[str, ...], fits: Sequence[Mapping[str, Any]] = ()
) -> tuple[Line, ...]:
    lines = []
    for curve, words in CURVES.items():
        points = tuple(
            Point(
                servers=int(servers),
                value=found,
                low=value(row, *path[:-1], f"{path[-1]}_low"),
                high=value(row, *path[:-1], f"{path[-1]}_high"),
            )
            for row in runs
            if row.get("curve") == curve
            and (servers := number(row.get("servers"))) is not None
            and (found := value(row, *path)) is not None
        )
        straight = None
        for fit in fits:
            if (fit.get("curve"), fit.get("figure")) == (curve, ".".join(path)):
                intercept, slope = value(fit, "line", "intercept"), value(fit, "line", "slope", "value")
                straight = None if intercept is None or slope is None else (intercept, slope)
        lines.append(Line(name=words, colour=_COLOURS[curve], points=points, dashed=curve == "weak", straight=straight))
    return tuple(lines)


def _queries(runs: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    points: dict[str, list[Point]] = {"P50": [], "P95": [], "P99": []}
    for row in runs:
        statements = rows(part(row, "database"), "statements")
        servers = number(row.get("servers"))
        if row.get("curve") != "constant" or not statements or servers is None:
            continue
        for name, found in points.items():
            if (taken := value(statements[0], "duration_ms", name.lower())) is not None:
                found.append(Point(servers=int(servers), value=taken))
    colours = (palette.POSTGRES, palette.OTHERS[2], palette.MACHINE)
    return tuple(
        Line(name=name, colour=colours[index], points=tuple(found))
        for index, (name, found) in enumerate(points.items())
    )


def _efficiency(sweep: Mapping[str, Any]) -> tuple[Line, ...]:
    points = tuple(
        Point(servers=int(servers), value=share)
        for row in rows(sweep, "efficiency")
        if (servers := number(row.get("servers"))) is not None and (share := number(row.get("share"))) is not None
    )
    return (Line(name=CURVES["weak"], colour=_COLOURS["weak"], points=points),)


def _summary(plot: Plot) -> str:
    """Each line's values from the fewest to the most servers, in words."""
    told = []
    for line in plot.lines:
        ordered = sorted(line.points, key=lambda point: point.servers)
        first, last = ordered[0], ordered[-1]
        told.append(
            f"{line.name}: {figure(first.value)} at {first.servers}, {figure(last.value)} at {last.servers} servers"
        )
    return listed(told) + f" ({plot.unit})"
