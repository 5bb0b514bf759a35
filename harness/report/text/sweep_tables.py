"""The tables of a sweep."""

from collections.abc import Sequence

from harness.model.finding import Status
from harness.model.measurements.steps import StepLatencies
from harness.model.measurements.sweep_measurements import FitEstimate, SweepMeasurements, SweepRun
from harness.model.plan import Plan
from harness.model.sweep_plan import Curve
from harness.recording.format import REPORT, RUNS
from harness.report.text.component_titles import broker_title, database_title
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.quantities import SPACE, UNKNOWN, count, figure, formatted, milliseconds, size
from harness.report.text.step_tables import steps
from harness.report.text.table import Cell, Table, figures, text

_CURVES = {Curve.CONSTANT: "Constant rate", Curve.WEAK: "Weak scaling"}


def latencies(runs: Sequence[SweepRun]) -> tuple[Table, ...]:
    """A table for each curve that has runs."""
    found = {curve: [run for run in runs if run.curve is curve] for curve in _CURVES}
    columns = (
        *("Run", "Verdict", "Clients", "Messages/s", "Deliveries/s", "P50", "P95", "P99", "P99 from", "P99 to"),
        *("Completion P99", "µs per message", "µs per delivery"),
    )
    return tuple(
        Table(
            caption=f"{_CURVES[curve]}: latency, and CPU of the system under test",
            columns=columns,
            rows=tuple(_latency_row(run) for run in members),
        )
        for curve, members in found.items()
        if members
    )


def _latency_row(run: SweepRun) -> tuple[Cell, ...]:
    latency = run.latency
    times = (
        (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.p99_low_ms, latency.p99_high_ms)
        if latency
        else (None,) * 5
    )
    return (
        Cell(text=f"{count(run.servers)} servers", link=link(run)),
        _status(run.status),
        figures(count(run.clients)),
        figures(figure(run.messages_hz)),
        figures(figure(run.deliveries_hz)),
        *(figures(milliseconds(at_ms)) for at_ms in times),
        figures(milliseconds(run.completion.p99_ms if run.completion else None)),
        figures(figure(run.cpu_us_per_message)),
        figures(figure(run.cpu_us_per_delivery)),
    )


def link(run: SweepRun) -> str:
    """The run's own report, beside this one. A name that the harness would not give is not linked."""
    name = run.run
    return f"{RUNS}/{name}/{REPORT}" if name.replace("-", "").isalnum() and name.isascii() else ""


def _status(status: Status) -> Cell:
    return Cell(text=STATUS_WORDS[status], status=status.value)


def growth(sweep: SweepMeasurements | None) -> Table | None:
    lines = tuple(
        (
            text(fit.figure),
            text(fit.curve),
            _status(fit.status),
            figures(f"{figure(fit.line.intercept)} + {figure(fit.line.slope.value)} · N"),
            figures(figure(fit.line.r2)),
            figures(_interval(fit.exponent)),
            figures(_percent(fit.quadratic_share.value if fit.quadratic_share else None)),
            figures(_percent(fit.quadratic_share.lower_bound if fit.quadratic_share else None)),
            figures(_percent(fit.quadratic_share.upper_bound if fit.quadratic_share else None)),
            figures(_percent(fit.detectable_share)),
        )
        for fit in (sweep.fits if sweep else ())
    )
    columns = (
        *("Figure", "Curve", "Growth", "Linear fit", "R²", "Exponent of N"),
        *("Share of N² at the top", "At least", "At most", "Would be found from"),
    )
    return Table(caption="How the cost of a message grows", columns=columns, rows=lines) if lines else None


def _interval(estimate: FitEstimate) -> str:
    if estimate.low is None or estimate.high is None:
        return figure(estimate.value)
    return f"{figure(estimate.value)} ({figure(estimate.low)} to {figure(estimate.high)})"


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{round(100 * share)}{SPACE}%"


def ratios(sweep: SweepMeasurements | None) -> Table | None:
    lines = tuple(
        (
            text(f"{count(ratio.servers)} over {count(ratio.base_servers)} servers"),
            text(ratio.curve),
            figures(figure(ratio.p99_ratio)),
            figures(figure(ratio.lower_bound)),
            figures(figure(ratio.upper_bound)),
            figures(count(ratio.runs)),
        )
        for ratio in (sweep.ratios if sweep else ())
    )
    columns = ("P99 at", "Curve", "Ratio", "At least", "At most", "Runs")
    return Table(caption="Does latency stay the same?", columns=columns, rows=lines) if lines else None


def scalability_law(sweep: SweepMeasurements | None) -> str:
    law = sweep.scalability_law if sweep else None
    if law is None:
        return ""
    return (
        f"As a description, not a prediction: if every server had a core of its own and CPU were the only limit, the "
        f"measured cost would follow Gunther’s law with contention α = {figure(law.alpha)} and coherency "
        f"β = {figure(law.beta)}."
    )


def run_table(runs: Sequence[SweepRun]) -> Table | None:
    names = [step.name for step in steps(None)]
    lines = tuple(
        (
            Cell(text=run.run, link=link(run)),
            _status(run.status),
            figures(count(run.clients)),
            figures(formatted(run.connect_s, "connect_s")),
            figures(size(run.memory_peak_bytes)),
            figures(size(run.server_rss_bytes)),
            figures(formatted(run.system_cores, "system_cores")),
            figures(formatted(run.server_cores, "server_cores")),
            *(figures(step.p99) for step in steps(run.steps or StepLatencies())[: len(names)]),
        )
        for run in runs
    )
    columns = (
        *("Run", "Verdict", "Clients", "Connecting", "Memory of the machine", "Largest server", "System", "Servers"),
        *(f"P99 {name.lower()}" for name in names),
    )
    return Table(caption="Every run, each with its own report", columns=columns, rows=lines) if lines else None


def broker_table(runs: Sequence[SweepRun], plan: Plan) -> Table | None:
    lines = tuple(
        (
            Cell(text=f"{count(run.servers)} servers", lines=(run.curve,)),
            figures(formatted(broker.cpu_cores, "cpu_cores")),
            figures(formatted(run.broker_cpu_us_per_message, "cpu_us")),
            figures(formatted(broker.net_in_bytes_hz, "net_in_bytes_hz")),
            figures(formatted(broker.net_out_bytes_hz, "net_out_bytes_hz")),
            figures(size(run.broker_net_out_bytes_per_message)),
            figures(figure(broker.commands_hz)),
            figures(count(broker.subscriptions)),
            figures(size(broker.subscriber_output_bytes)),
        )
        for run in runs
        if (broker := run.broker)
    )
    columns = (
        *("Run", "CPU", "CPU per message", "Bytes in", "Bytes out", "Out per message", "Commands/s"),
        *("Subscriptions", "Output buffers at most"),
    )
    return Table(caption=broker_title(plan), columns=columns, rows=lines) if lines else None


def database_table(runs: Sequence[SweepRun]) -> Table | None:
    lines = []
    for run in runs:
        for statement in run.database.statements if run.database else ():
            times = statement.duration
            lines.append(
                (
                    Cell(text=f"{count(run.servers)} servers", lines=(run.curve,)),
                    figures(figure(run.database.commits_hz if run.database else None)),
                    Cell(text=statement.statement),
                    *(figures(milliseconds(ms)) for ms in (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)),
                    figures(count(times.count)),
                )
            )
    columns = ("Run", "Transactions/s", "Statement", "P50", "P95", "P99", "Max", "Executions")
    return Table(caption=f"{database_title()}, by its own log", columns=columns, rows=tuple(lines)) if lines else None
