"""The terminal output of a matrix: the plan before, the decision matrix at the end."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness import console
from harness.exit_codes import ExitCode
from harness.model.finding import Verdict
from harness.model.matrix_plan import Cell, MatrixPlan
from harness.model.measurements.matrix_measurements import Spread

if TYPE_CHECKING:
    from harness.experiment import Outcome
    from harness.planning.matrix_planner import MatrixRequest


def plan(asked: "MatrixRequest", scenarios: tuple[str, ...], *, out: Path, as_json: bool) -> ExitCode:
    """`harness matrix --plan`."""
    from harness.preflight import prepare_matrix

    _show_plan(prepare_matrix(asked, scenarios, out=out), as_json=as_json)
    return ExitCode.PASS


def run(asked: "MatrixRequest", scenarios: tuple[str, ...], *, out: Path, live: int | None, as_json: bool) -> "Outcome":
    """`harness matrix`."""
    from harness.machine_lock import hold_machine
    from harness.matrix_experiment import run_matrix
    from harness.preflight import prepare_matrix

    planned = prepare_matrix(asked, scenarios, out=out)
    for line in plan_lines(planned):
        _say(line)
    with hold_machine(forced=asked.base.force), console.live_view(live) as page:
        outcome = run_matrix(
            planned,
            out=out,
            watching=lambda cell: console.watching(after_s=_after_s(planned, cell), page=page),
            say=_say,
        )
    show_outcome(outcome, as_json=as_json)
    return outcome


def _after_s(plan: MatrixPlan, cell: Cell) -> float:
    """The predicted time of the cells after ``cell``."""
    return sum(other.predicted_s for other in plan.running if other.order > cell.order)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show_plan(plan: MatrixPlan, *, as_json: bool) -> None:
    if as_json:
        console.print_json({"matrix": msgspec.to_builtins(plan)})
        return
    for line in plan_lines(plan):
        print(line)


def plan_lines(plan: MatrixPlan) -> Iterator[str]:
    """The plan: systems, sizes, predicted time, and the cells that cannot run here."""
    reference = plan.reference
    running, left_out = plan.running, [cell for cell in plan.cells if cell.plan is None]
    yield f"matrix  {reference.title} ({reference.size}, {reference.environment})"
    yield f"systems     {', '.join(system.name for system in plan.systems)}"
    sizes = {(cell.scenario, cell.servers): cell.plan for cell in running}
    for (scenario, servers), sized in sorted(sizes.items()):
        if sized is not None:
            yield (
                f"  {scenario:<12} {servers:>2} servers · {sized.clients:,} clients · {sized.rate_hz:,g} messages/s · "
                f"audience {sized.audience:,} · {sized.duration_s:g} s"
            )
    for because, cells in _by_reason(left_out):
        names = dict.fromkeys(f"{cell.system.name} {cell.scenario}" for cell in cells)
        yield f"left out    {', '.join(names)}: {because}"
    yield (
        f"takes       about {plan.predicted_s / 60:.1f} min ({plan.predicted_s:,.0f} s) in all: {len(running)} cells, "
        f"{plan.repeat} × each; seed {reference.seed} decides the order"
    )


def _by_reason(cells: list[Cell]) -> list[tuple[str, list[Cell]]]:
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.because, []).append(cell)
    return list(found.items())


def show_outcome(outcome: "Outcome", *, as_json: bool) -> None:
    if outcome.why:
        _say(f"harness: {outcome.why}")
    if outcome.verdict is None:
        _say(f"harness: the recording so far is in {outcome.folder}")
        return
    show_verdict(outcome.verdict, outcome.folder, as_json=as_json)


def show_verdict(verdict: Verdict, folder: Path, *, as_json: bool) -> None:
    """The decision matrix, then the lines that every verdict has."""
    if not as_json:
        for line in table_lines(verdict):
            print(line)
    console.show_verdict(verdict, folder, as_json=as_json)


_HEADINGS = ("P50 ms", "P99 ms", "fan-out P50", "ack P99", "lost", "not stored", "recovery s", "broker MB", "cells")


def table_lines(verdict: Verdict) -> Iterator[str]:
    """One line per system, the fastest first."""
    measured = verdict.matrix
    if measured is None:
        return
    yield f"{measured.latency_scenario}, latencies in ms (lowest to highest over repetitions and their intervals)"
    yield f"  {'system':<24}" + "".join(f"{name:>21}" for name in _HEADINGS)
    for one in sorted(measured.systems, key=lambda row: row.p99_ms.value if row.p99_ms else float("inf")):
        memory = one.operations.memory_bytes
        cells = (
            _spread(one.p50_ms),
            _spread(one.p99_ms),
            _spread(one.fan_out_p50_ms),
            _spread(one.ack_p99_ms),
            f"{one.lost:,}" if one.expected else "–",
            f"{one.not_stored:,}" if one.expected else "–",
            _spread(one.recovery_s),
            "–" if memory is None else f"{memory / 1e6:,.0f}",
            f"{one.passed} of {one.cells} pass",
        )
        yield f"  {one.system:<24}" + "".join(f"{cell:>21}" for cell in cells)
    for pair in measured.order:
        verb = "is faster than" if pair.separated else "is not separated from"
        yield f"  {pair.faster} {verb} {pair.slower}"
    yield ""


def _spread(found: Spread | None) -> str:
    if found is None:
        return "–"
    if found.low == found.value == found.high:
        return f"{found.value:,.1f}"
    return f"{found.value:,.1f} ({found.low:,.1f} to {found.high:,.1f})"
