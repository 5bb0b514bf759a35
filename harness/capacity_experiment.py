"""The course of a capacity search: one cluster, a judged run at each value, and the result of all. The figures are
written after every step, so that Ctrl-C, or any other early end, loses at most one step.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.checks.capacity.trial import step_of
from harness.ending import Ending, ending_of, words_of
from harness.environments import open_environment
from harness.exit_codes import ExitCode
from harness.measurement import topology_of
from harness.model.capacity import Capacity, CapacityPlan, CapacityStep, Exhaustion, Found, TrialResult
from harness.model.cluster import Cluster
from harness.model.errors import EnvironmentFailure
from harness.model.watch import Watch
from harness.observation.limits import raise_descriptor_limit, read_limits
from harness.planning.capacity_planner import bounds_of, step_plan
from harness.planning.capacity_search import Trial, next_value, proof
from harness.recording.capacity_folder import create_capacity_folder, read_capacity, write_capacity
from harness.recording.format import RUNS
from harness.recording.writer import Journal
from harness.short_run import run_briefly

OnStep = Callable[[CapacityPlan, CapacityStep], None]
_CODES = {
    Found.CAPACITY: ExitCode.PASS,
    Found.LOWER_BOUND: ExitCode.PASS,
    Found.NONE: ExitCode.FAIL,
    Found.UNDECIDED: ExitCode.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOutcome:
    """How a search ended, and its result until then."""

    folder: Path
    capacity: Capacity
    exit_code: ExitCode


def run_capacity(search: CapacityPlan, *, out: Path, watch: Watch, on_step: OnStep) -> CapacityOutcome:
    """Search in a new folder below ``out``; ``on_step`` is called with every finished step.

    Raises EnvironmentFailure if even the folder cannot be made.
    """
    raise_descriptor_limit()
    folder = create_capacity_folder(out, search)
    with Journal(folder) as journal:
        ending = asyncio.run(ending_of(_search(search, folder, journal, watch, on_step), watch))
        with contextlib.suppress(OSError):
            journal.event("ended", how=ending.how, why=ending.why)
    capacity = replace(read_capacity(folder), ended=ending.why)
    write_capacity(folder, capacity)
    render_capacity(folder)
    return CapacityOutcome(folder=folder, capacity=capacity, exit_code=_code(ending, capacity))


def _code(ending: Ending, capacity: Capacity) -> ExitCode:
    return _CODES[capacity.found] if ending.exit_code is None else ending.exit_code


def render_capacity(folder: Path) -> Path:
    """Write the search's report.html and plots from its capacity.json. Returns the page."""
    from harness.report.page.capacity_page import write_capacity_report

    return write_capacity_report(folder, read_capacity(folder))


async def _search(search: CapacityPlan, folder: Path, journal: Journal, watch: Watch, on_step: OnStep) -> None:
    plan, bounds = search.plan, bounds_of(search)
    watch.phase("start")
    steps: list[CapacityStep] = []
    async with open_environment(plan.environment, topology=topology_of(plan), folder=folder, say=watch.note) as cluster:
        while (value := next_value(_trials(steps), bounds)) is not None:
            watch.phase(f"step {len(steps) + 1}: {search.vary} {value:,}")
            step = await _step(search, steps, value, cluster, folder, watch)
            steps.append(step)
            journal.event("step", number=step.number, value=value, result=step.result, because=step.because)
            write_capacity(folder, capacity_of(search, steps))
            on_step(search, step)


async def _step(
    search: CapacityPlan, before: list[CapacityStep], value: int, cluster: Cluster, folder: Path, watch: Watch
) -> CapacityStep:
    """One judged run. A load whose clients cannot connect is undecided, and does not end the search."""
    limits = read_limits(folder)
    number = len(before) + 1
    repeats_undecided = any(step.value == value and step.result is TrialResult.UNDECIDED for step in before)
    plan = step_plan(search, number, value, limits, repeats_undecided=repeats_undecided)
    run = f"{RUNS}/{number:02}-{search.vary}-{value}"
    try:
        verdict = await run_briefly(plan, cluster, folder / run, watch)
    except EnvironmentFailure as error:
        if cluster.casualties():
            raise
        result = TrialResult.UNDECIDED
        return CapacityStep(number=number, value=value, result=result, because=words_of(error), run=run)
    return step_of(verdict, number=number, value=value, run=run, cores=limits.cores)


def _trials(steps: list[CapacityStep]) -> list[Trial]:
    return [Trial(value=step.value, result=step.result) for step in steps]


def capacity_of(search: CapacityPlan, steps: list[CapacityStep]) -> Capacity:
    """The result of all steps."""
    found = proof(_trials(steps), bounds_of(search))
    return Capacity(
        plan=search,
        steps=tuple(steps),
        found=found.found,
        value=found.value,
        broke_at=found.broke_at,
        exhaustion=_exhaustion_at(found.above, steps),
    )


def _exhaustion_at(value: int | None, steps: list[CapacityStep]) -> Exhaustion | None:
    """The exhausted resource at ``value``, by the last of its steps that names one."""
    return next((step.exhaustion for step in reversed(steps) if step.value == value and step.exhaustion), None)
