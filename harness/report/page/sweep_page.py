"""A sweep's verdict → one HTML page, with links to the report of every run."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.model.finding import Status, Verdict
from harness.recording.format import REPORT, RUNS
from harness.report.page.files import write_page
from harness.report.page.run_page import began
from harness.report.page.templates import fill
from harness.report.plots.drawing import Drawing
from harness.report.plots.sweep_figures import CURVES, sweep_drawings
from harness.report.text.criteria import STATUS_WORDS, cases, criteria
from harness.report.text.headline import headline
from harness.report.text.lookup import part, rows, value
from harness.report.text.quantities import SPACE, UNKNOWN, count, figure, milliseconds, size, told
from harness.report.text.run_tables import decisions, reductions
from harness.report.text.step_tables import claim_table
from harness.report.text.table import Cell, Table, figures, settings, text

_CONTENTS = (
    ("criteria", "Criteria"),
    ("latency", "Latency and cost"),
    ("growth", "How it grows"),
    ("runs", "Runs"),
    ("stores", "Redis and PostgreSQL"),
    ("decisions", "Decisions"),
    ("repeat", "How to repeat it"),
)


def write_sweep_report(
    folder: Path, verdict: Verdict, machine: Mapping[str, Any], events: Sequence[Mapping[str, Any]]
) -> Path:
    """Write ``plots/`` and ``report.html`` into ``folder``; returns the page's path. Raises EnvironmentFailure."""
    drawn = sweep_drawings(verdict)
    return write_page(folder, sweep_page(verdict, machine, events, drawn), drawn)


def sweep_page(
    verdict: Verdict, machine: Mapping[str, Any], events: Sequence[Mapping[str, Any]], drawings: Sequence[Drawing]
) -> str:
    """The report. All of it is taken for untrusted text; parts that are absent are named as such."""
    sweep = part(verdict.measurements, "sweep")
    runs = rows(sweep, "runs")
    return fill(
        "sweep.html",
        plan=verdict.plan,
        when=began(events),
        headline=headline(verdict),
        status_words=STATUS_WORDS,
        contents=_CONTENTS,
        reductions=reductions(verdict),
        criteria=criteria(verdict.findings, "Every criterion, what decides first") if verdict.findings else None,
        cases=cases(verdict),
        drawings=drawings,
        latencies=[_latencies(curve, runs) for curve in CURVES],
        growth=_growth(sweep),
        ratios=_ratios(sweep),
        law=_law(sweep),
        runs=_runs(runs),
        redis=_redis(runs),
        postgres=_postgres(runs),
        decisions=decisions(verdict),
        claim_table=claim_table(verdict),
        took=_took(events),
        command=shlex.join(("harness", *verdict.plan.command)),
        machine=settings("The machine and what ran on it", machine),
    )


def _latencies(curve: str, runs: Sequence[Mapping[str, Any]]) -> Table | None:
    mine = [row for row in runs if row.get("curve") == curve]
    if not mine:
        return None
    lines = tuple(
        (
            Cell(text=f"{count(row.get('servers'))} servers", link=_link(row)),
            Cell(text=str(row.get("status", "")).upper(), status=_status(row)),
            figures(count(row.get("clients"))),
            figures(figure(row.get("messages_hz"))),
            figures(figure(row.get("deliveries_hz"))),
            *(
                figures(milliseconds(value(row, "latency_ms", key)))
                for key in ("p50", "p95", "p99", "p99_low", "p99_high")
            ),
            figures(milliseconds(value(row, "completion_ms", "p99"))),
            figures(figure(row.get("cpu_us_per_message"))),
            figures(figure(row.get("cpu_us_per_delivery"))),
        )
        for row in mine
    )
    return Table(
        caption=f"{CURVES[curve].capitalize()}: latency, and CPU of the system under test",
        columns=(
            *("Run", "Verdict", "Clients", "Messages/s", "Deliveries/s", "P50", "P95", "P99", "P99 from", "P99 to"),
            *("Completion P99", "µs per message", "µs per delivery"),
        ),
        rows=lines,
    )


def _link(row: Mapping[str, Any]) -> str:
    """The run's own report, beside this one; names are ours and plain, anything else is not linked."""
    name = str(row.get("run", ""))
    return f"{RUNS}/{name}/{REPORT}" if name.replace("-", "").isalnum() and name.isascii() else ""


def _status(row: Mapping[str, Any]) -> str:
    word = row.get("status")
    return str(word) if word in list(Status) else "unknown"


def _growth(sweep: Mapping[str, Any]) -> Table | None:
    lines = tuple(
        (
            text(str(fit.get("figure"))),
            text(str(fit.get("curve"))),
            Cell(text=str(fit.get("status", "")).upper(), status=_status(fit)),
            figures(f"{figure(value(fit, 'line', 'intercept'))} + {figure(value(fit, 'line', 'slope', 'value'))} · N"),
            figures(figure(value(fit, "line", "r2"))),
            figures(_interval(part(fit, "exponent"))),
            figures(_percent(value(fit, "quadratic_share", "value"))),
            figures(_percent(value(fit, "quadratic_share", "lower_bound"))),
        )
        for fit in rows(sweep, "fits")
    )
    columns = ("Figure", "Curve", "Growth", "Linear fit", "R²", "Exponent of N", "Share of N² at the top", "At least")
    return Table(caption="How the cost of a message grows", columns=columns, rows=lines) if lines else None


def _interval(estimate: Mapping[str, Any]) -> str:
    low, high = value(estimate, "low"), value(estimate, "high")
    reach = "" if low is None or high is None else f" ({figure(low)} to {figure(high)})"
    return figure(value(estimate, "value")) + reach


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{round(100 * share)}{SPACE}%"


def _ratios(sweep: Mapping[str, Any]) -> Table | None:
    lines = tuple(
        (
            text(f"{count(row.get('servers'))} over {count(row.get('base_servers'))} servers"),
            text(str(row.get("curve"))),
            figures(figure(row.get("p99_ratio"))),
            figures(figure(row.get("lower_bound"))),
            figures(figure(row.get("upper_bound"))),
            figures(count(row.get("runs"))),
        )
        for row in rows(sweep, "ratios")
    )
    columns = ("P99 at", "Curve", "Ratio", "At least", "At most", "Runs")
    return Table(caption="Does latency stay?", columns=columns, rows=lines) if lines else None


def _law(sweep: Mapping[str, Any]) -> str:
    law = part(sweep, "scalability_law")
    if not law:
        return ""
    return (
        f"As a description, not a prediction: if every server had a core of its own and CPU were all that limits, the "
        f"measured cost would follow Gunther’s law with contention α = {figure(value(law, 'alpha'))} and coherency "
        f"β = {figure(value(law, 'beta'))}."
    )


def _runs(runs: Sequence[Mapping[str, Any]]) -> Table | None:
    lines = tuple(
        (
            Cell(text=str(row.get("run")), link=_link(row)),
            Cell(text=str(row.get("status", "")).upper(), status=_status(row)),
            figures(count(row.get("clients"))),
            figures(told(row.get("connect_s"), "connect_s")),
            figures(size(row.get("memory_peak_bytes"))),
            figures(size(row.get("server_rss_bytes"))),
            figures(told(row.get("system_cores"), "system_cores")),
            figures(told(row.get("server_cores"), "server_cores")),
            *(figures(milliseconds(value(row, "steps_ms", step))) for step in _STEPS),
        )
        for row in runs
    )
    columns = (
        *("Run", "Verdict", "Clients", "Connecting", "Memory of the machine", "Largest server", "System", "Servers"),
        *(f"P99 {step.replace('_', '-')}" for step in _STEPS),
    )
    return Table(caption="Every run, each with a report of its own", columns=columns, rows=lines) if lines else None


_STEPS = ("ingest", "commit", "publish", "fan_out", "push")


def _redis(runs: Sequence[Mapping[str, Any]]) -> Table | None:
    lines = tuple(
        (
            Cell(text=f"{count(row.get('servers'))} servers", lines=(str(row.get("curve")),)),
            figures(told(redis.get("cpu_cores"), "cpu_cores")),
            figures(told(redis.get("cpu_us_per_message"), "cpu_us")),
            figures(size(redis.get("net_in_bytes_hz"))),
            figures(size(redis.get("net_out_bytes_hz"))),
            figures(size(redis.get("net_out_bytes_per_message"))),
            figures(figure(redis.get("commands_hz"))),
            figures(count(redis.get("subscriptions"))),
            figures(size(redis.get("subscriber_output_bytes"))),
        )
        for row in runs
        if (redis := part(row, "broker"))
    )
    columns = (
        *("Run", "CPU", "CPU per message", "In per second", "Out per second", "Out per message", "Commands/s"),
        *("Subscriptions", "Output buffers at most"),
    )
    return Table(caption="Redis", columns=columns, rows=lines) if lines else None


def _postgres(runs: Sequence[Mapping[str, Any]]) -> Table | None:
    lines = tuple(
        (
            Cell(text=f"{count(row.get('servers'))} servers", lines=(str(row.get("curve")),)),
            figures(figure(value(row, "database", "transactions_hz"))),
            Cell(text=str(statement.get("statement", ""))),
            *(figures(milliseconds(value(statement, "duration_ms", key))) for key in ("p50", "p95", "p99", "max")),
            figures(count(value(statement, "duration_ms", "count"))),
        )
        for row in runs
        for statement in rows(part(row, "database"), "statements")
    )
    columns = ("Run", "Transactions/s", "Statement", "P50", "P95", "P99", "Max", "Executions")
    return Table(caption="PostgreSQL, by its own log", columns=columns, rows=lines) if lines else None


def _took(events: Sequence[Mapping[str, Any]]) -> str:
    took = [value(event, "took_s") for event in events if event.get("event") == "run"]
    known = [seconds for seconds in took if seconds is not None]
    return told(round(sum(known)), "took_s") if known else ""
