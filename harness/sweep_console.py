"""The terminal output of a sweep, in plain lines: the plan before, the table at the end."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness import console
from harness.exit_codes import ExitCode
from harness.model.finding import Verdict
from harness.model.measurements.sweep_measurements import SweepRun
from harness.model.scenario import Size
from harness.model.sweep_plan import Curve, Member, SweepPlan

if TYPE_CHECKING:
    from harness.experiment import Outcome
    from harness.planning.request import Request
    from harness.planning.sweep_planner import PlannedSweep


def plan(scenario: str, request: "Request", *, out: Path, as_json: bool) -> ExitCode:
    """`harness plan` for a sweep."""
    from harness.preflight import prepare_sweep

    planned = prepare_sweep(scenario, request, out=out)
    if as_json:
        document = {"sweep": asdict(planned.plan), "fits": not planned.shortfalls, "shortfalls": planned.shortfalls}
        console.print_json(document)
    else:
        for line in plan_lines(planned):
            print(line)
    return ExitCode.USAGE if planned.shortfalls else ExitCode.PASS


def run(scenario: str, request: "Request", *, out: Path, live: int | None, as_json: bool) -> "Outcome":
    """`harness run` for a sweep."""
    from harness.machine_lock import hold_machine
    from harness.preflight import prepare_sweep, refuse_sweep_misfit
    from harness.sweep_experiment import run_sweep

    planned = prepare_sweep(scenario, request, out=out)
    refuse_sweep_misfit(planned)
    for line in plan_lines(planned):
        _say(line)
    with hold_machine(forced=request.force), console.live_view(live) as page:
        outcome = run_sweep(
            planned.plan,
            out=out,
            watching=lambda member: console.progress(member.plan, after_s=_after_s(planned.plan, member), page=page),
            say=_say,
        )
    show_outcome(outcome, as_json=as_json)
    return outcome


def _after_s(sweep: SweepPlan, member: Member) -> float:
    """The predicted time of the runs after ``member``."""
    return sum(other.predicted_s for other in sweep.members if other.order > member.order)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def plan_lines(planned: "PlannedSweep") -> Iterator[str]:
    """The plan: runs in their order, predicted time, and whether they fit."""
    sweep = planned.plan
    widest = sweep.widest
    yield f"{widest.scenario}  {widest.title} ({widest.size}, {widest.environment}, {widest.backplane})"
    yield (
        f"sweep       {', '.join(map(str, sweep.server_counts))} servers × {sweep.clients_per_server:,} clients · "
        f"audience {widest.audience:,} · {widest.duration_s:g} s each · {sweep.repeat} × per point · seed {widest.seed}"
    )
    yield (
        f"curves      constant: {widest.rate_hz:,g} messages/s · weak: {sweep.weak_rate_per_server_hz:,g} messages/s "
        "per server"
    )
    for reduction in widest.reductions:
        yield f"reduced     {reduction.wanted} → {reduction.planned}, because {reduction.because}"
    if widest.size is Size.FIT:
        yield "size        by the prediction: a pilot would have to connect all clients of the largest run each time"
    for member in sweep.members:
        need = member.plan.need
        yield (
            f"  {member.name:<20} {member.plan.clients:>9,} clients {member.plan.rate_hz:>7,g} messages/s · "
            f"{need.cores:.1f} cores · {need.memory_bytes / 1e9:.1f} GB · {member.plan.workers} load workers · "
            f"{member.predicted_s:.0f} s"
        )
    yield f"takes       about {sweep.predicted_s / 60:.1f} min ({sweep.predicted_s:,.0f} s) in all"
    for shortfall in planned.shortfalls:
        yield f"short       {shortfall}"


def show_outcome(outcome: "Outcome", *, as_json: bool) -> None:
    if outcome.why:
        _say(f"harness: {outcome.why}")
    if outcome.verdict is None:
        _say(f"harness: the recording so far is in {outcome.folder}")
        return
    show_verdict(outcome.verdict, outcome.folder, as_json=as_json)


def show_verdict(verdict: Verdict, folder: Path, *, as_json: bool) -> None:
    """The table of runs, then the lines that every verdict has."""
    if not as_json:
        for line in table_lines(verdict):
            print(line)
    console.show_verdict(verdict, folder, as_json=as_json)


Figure = Callable[[SweepRun], float | None]

_COLUMNS: dict[str, tuple[Figure, int]] = {
    "servers": (lambda run: run.servers, 0),
    "messages/s": (lambda run: run.messages_hz, 0),
    "P50 ms": (lambda run: run.latency.p50_ms if run.latency else None, 1),
    "P95 ms": (lambda run: run.latency.p95_ms if run.latency else None, 1),
    "P99 ms": (lambda run: run.latency.p99_ms if run.latency else None, 1),
    "µs/message": (lambda run: run.cpu_us_per_message, 0),
    "µs/delivery": (lambda run: run.cpu_us_per_delivery, 1),
    "broker µs/msg": (lambda run: run.broker_cpu_us_per_message, 1),
    "broker out B/msg": (lambda run: run.broker_net_out_bytes_per_message, 0),
    "transactions/s": (lambda run: run.database.commits_hz if run.database else None, 0),
}
"""Heading → the figure and its decimal places."""


def table_lines(verdict: Verdict) -> Iterator[str]:
    """One line per run, by curve and server count."""
    runs = verdict.sweep.runs if verdict.sweep else ()
    if not runs:
        return
    for curve in Curve:
        yield f"{curve} curve"
        yield "  " + "".join(f"{name:>17}" for name in _COLUMNS) + "  verdict"
        for run in runs:
            if run.curve is curve:
                cells = (_cell(figure(run), digits) for figure, digits in _COLUMNS.values())
                yield "  " + "".join(f"{cell:>17}" for cell in cells) + f"  {run.status.upper()}"
    yield ""


def _cell(found: float | None, digits: int) -> str:
    return "–" if found is None else f"{found:,.{digits}f}"
