"""A sweep's measurements as figures over the server count."""

from collections.abc import Callable, Iterator, Sequence

from harness.model.finding import Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.sweep_measurements import Fit, SweepMeasurements, SweepRun
from harness.model.sweep_plan import Curve
from harness.report.plots import palette
from harness.report.plots.drawing import Drawing, draw, own_settings
from harness.report.plots.sweep_plots import Line, Plot, Point, draw_plot
from harness.report.text.component_titles import broker_title, database_title
from harness.report.text.quantities import figure, listed
from harness.report.text.reason import limit_ms

CURVES = {Curve.CONSTANT: "constant rate", Curve.WEAK: "weak scaling"}
_COLOURS = {Curve.CONSTANT: palette.SERVERS, Curve.WEAK: palette.OTHERS[1]}
_PERCENTILES = ("P50", "P95", "P99")
Interval = Callable[[SweepRun], tuple[float | None, float | None]]


def sweep_drawings(verdict: Verdict) -> tuple[Drawing, ...]:
    """Every figure that the sweep's measurements give."""
    sweep = verdict.sweep
    plots = [plot for plot in _plots(verdict, sweep) if any(line.points for line in plot.lines)] if sweep else []
    if not plots:
        return ()
    with own_settings():
        return tuple(
            draw(draw_plot(plot), name=plot.name, title=plot.title, group="scaling", summary=_summary(plot))
            for plot in plots
        )


def _plots(verdict: Verdict, sweep: SweepMeasurements) -> Iterator[Plot]:
    for curve in CURVES:
        yield _latency(verdict, sweep.runs, curve)
    yield from _costs(verdict, sweep)
    yield _plot(
        "queries",
        f"{database_title()}: duration of the most frequent statement",
        "ms, constant rate",
        _queries(sweep.runs),
    )
    share = tuple(Point(servers=row.servers, value=row.share) for row in sweep.efficiency)
    line = Line(name=CURVES[Curve.WEAK], colour=_COLOURS[Curve.WEAK], points=share)
    yield _plot("efficiency", "Efficiency", "deliveries/s per server, share of the fewest servers'", (line,))


def _costs(verdict: Verdict, sweep: SweepMeasurements) -> Iterator[Plot]:
    runs, fits, database = sweep.runs, sweep.fits, database_title()
    product = broker_title(verdict.plan)
    broker = f"{product[:1].upper()}{product[1:]}"
    yield _plot(
        "broker_cpu",
        f"{broker}: CPU per message",
        "µs",
        _by_curve(runs, lambda run: run.broker_cpu_us_per_message, _fits(fits, "broker_cpu_us_per_message")),
    )
    yield _plot(
        "broker_bandwidth",
        f"{broker}: bytes out per message",
        "bytes",
        _by_curve(
            runs, lambda run: run.broker_net_out_bytes_per_message, _fits(fits, "broker_net_out_bytes_per_message")
        ),
    )
    yield _plot(
        "system_cpu",
        f"CPU of servers, {product} and {database} per message",
        "µs",
        _by_curve(
            runs,
            lambda run: run.cpu_us_per_message,
            _fits(fits, "cpu_us_per_message"),
            lambda run: (run.cpu_us_per_message_low, run.cpu_us_per_message_high),
        ),
    )
    yield _plot("delivery_cpu", "CPU per delivery", "µs", _by_curve(runs, lambda run: run.cpu_us_per_delivery))
    yield _plot(
        "broker_cpu_cores",
        f"{broker}: CPU",
        "cores",
        _by_curve(runs, lambda run: run.broker.cpu_cores if run.broker else None),
    )
    yield _plot(
        "broker_bandwidth_hz",
        f"{broker}: bytes out per second",
        "bytes/s",
        _by_curve(runs, lambda run: run.broker.net_out_bytes_hz if run.broker else None),
    )


def _plot(
    name: str, title: str, unit: str, lines: Sequence[Line], *, limit: float | None = None, limit_words: str = ""
) -> Plot:
    shown = tuple(line for line in lines if line.points)
    return Plot(name=name, title=title, unit=unit, lines=shown, limit=limit, limit_words=limit_words)


def _latency(verdict: Verdict, runs: Sequence[SweepRun], curve: Curve) -> Plot:
    limit = limit_ms(verdict.plan, "latency_ms", "p99")
    measured = [(run.servers, run.latency) for run in runs if run.curve is curve and run.latency is not None]
    lines = tuple(
        Line(name=name, colour=palette.DELIVERY[index], points=_percentile_points(name, measured))
        for index, name in enumerate(_PERCENTILES)
    )
    return _plot(
        f"latency_{curve}",
        f"Delivery latency, {CURVES[curve]}",
        "ms, P99 with its 95 % interval within the run",
        lines,
        limit=limit,
        limit_words="" if limit is None else f"limit P99 {figure(limit)} ms",
    )


def _percentile_points(name: str, measured: Sequence[tuple[int, Percentiles]]) -> tuple[Point, ...]:
    """One percentile of each run by its server count; the P99 has an interval."""
    points = []
    for servers, found in measured:
        at_ms = {"P50": found.p50_ms, "P95": found.p95_ms, "P99": found.p99_ms}[name]
        if at_ms is not None:
            low, high = (found.p99_low_ms, found.p99_high_ms) if name == "P99" else (None, None)
            points.append(Point(servers=servers, value=at_ms, low=low, high=high))
    return tuple(points)


def _fits(fits: Sequence[Fit], name: str) -> dict[Curve, tuple[float, float]]:
    """(intercept, slope) of the fitted line of one figure, on each curve that has one."""
    return {
        fit.curve: (fit.line.intercept, fit.line.slope.value)
        for fit in fits
        if fit.figure == name and fit.line.slope.value is not None
    }


def _by_curve(
    runs: Sequence[SweepRun],
    measured: Callable[[SweepRun], float | None],
    fitted: dict[Curve, tuple[float, float]] | None = None,
    interval: Interval = lambda run: (None, None),
) -> tuple[Line, ...]:
    """A line for each curve, with the fit that is drawn through it."""
    return tuple(
        Line(
            name=words,
            colour=_COLOURS[curve],
            points=tuple(
                Point(servers=run.servers, value=found, low=interval(run)[0], high=interval(run)[1])
                for run in runs
                if run.curve is curve and (found := measured(run)) is not None
            ),
            dashed=curve is Curve.WEAK,
            fit=(fitted or {}).get(curve),
        )
        for curve, words in CURVES.items()
    )


def _queries(runs: Sequence[SweepRun]) -> tuple[Line, ...]:
    measured = [
        (run.servers, run.database.statements[0].duration)
        for run in runs
        if run.curve is Curve.CONSTANT and run.database is not None and run.database.statements
    ]
    colours = (palette.DATABASE, palette.OTHERS[2], palette.MACHINE)
    return tuple(
        Line(name=name, colour=colours[index], points=_percentile_points(name, measured))
        for index, name in enumerate(_PERCENTILES)
    )


def _summary(plot: Plot) -> str:
    """Each line's values from the fewest to the most servers, in words."""
    parts = []
    for line in plot.lines:
        ordered = sorted(line.points, key=lambda point: point.servers)
        first, last = ordered[0], ordered[-1]
        parts.append(
            f"{line.name}: {figure(first.value)} at {first.servers}, {figure(last.value)} at {last.servers} servers"
        )
    return listed(parts) + f" ({plot.unit})"
