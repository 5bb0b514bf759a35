"""The terminal output of a capacity search: the plan, a line for each step, the result."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness import console
from harness.model.capacity import Capacity, CapacityPlan, CapacityStep, Vary
from harness.report.text.capacity_words import RESULT_WORDS, UNITS, sentence

if TYPE_CHECKING:
    from harness.capacity_experiment import CapacityOutcome
    from harness.planning.request import Request


def search(
    scenario: str, request: "Request", *, vary: Vary, limit_ms: float, out: Path, as_json: bool
) -> "CapacityOutcome":
    """`harness capacity`."""
    from harness.capacity_experiment import run_capacity
    from harness.machine_lock import hold_machine
    from harness.preflight import prepare_capacity

    planned = prepare_capacity(scenario, request, vary=vary, limit_ms=limit_ms, out=out)
    for line in plan_lines(planned):
        print(line, file=sys.stderr, flush=True)
    with hold_machine(forced=request.force), console.watching() as watch:
        outcome = run_capacity(
            planned, out=out, watch=watch, on_step=lambda search, step: watch.note(step_line(search, step))
        )
    if as_json:
        console.print_json(msgspec.to_builtins(outcome.capacity))
    else:
        for line in found_lines(outcome.capacity):
            print(line)
        print(f"report: {outcome.folder / 'report.html'}")
    return outcome


def plan_lines(planned: CapacityPlan) -> Iterator[str]:
    """The varied number, the limit, and the first value."""
    yield from console.plan_lines(planned.plan)
    unit = UNITS[planned.vary]
    yield (
        f"capacity    the highest {planned.vary} with every delivery and a P99 within {planned.limit_ms:g} ms, from "
        f"{planned.start:,} {unit} on, {planned.floor:,} to {planned.ceiling:,}"
    )


def step_line(planned: CapacityPlan, step: CapacityStep) -> str:
    p99 = "–" if step.p99_ms is None else f"{step.p99_ms:.1f} ms"
    busy = "–" if step.cores.machine is None else f"{step.cores.machine:.2f}"
    value = f"{step.value:,} {UNITS[planned.vary]}"
    return f"step {step.number}: {value}: {RESULT_WORDS[step.result]} · P99 {p99} · {busy} cores busy · {step.because}"


def found_lines(capacity: Capacity) -> Iterator[str]:
    """The result, then every load that was tried, from the smallest to the largest."""
    yield f"{capacity.found.upper()}  {capacity.plan.plan.scenario}: {sentence(capacity)}"
    for step in sorted(capacity.steps, key=lambda step: (step.value, step.number)):
        yield f"  {step_line(capacity.plan, step)}"
