"""The course of one run: plan, up, pilots, connect, warm up, measure, drain, collect, seal, judge, render. The cluster
is always removed at the end. If an error ends the run, the recording so far is kept and judged."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from harness.ending import ending_of, with_full_disk
from harness.environments import open_environment
from harness.exit_codes import ExitCode, of_status
from harness.judging import judge_recording, render_report
from harness.load.engine.engine import Engine
from harness.measurement import Run, measure, topology_of
from harness.model.engine import ENGINES
from harness.model.errors import HarnessError
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.model.registry import load
from harness.model.watch import Watch
from harness.observation import statement_log
from harness.observation.limits import raise_descriptor_limit
from harness.pilot_experiment import find_size
from harness.recording.seal import end_recording
from harness.recording.writer import Journal, create_folder, write_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. ``why`` is empty after a complete one; ``verdict`` is None if nothing could be judged."""

    folder: Path
    verdict: Verdict | None
    exit_code: ExitCode
    why: str


def run_experiment(
    plan: Plan,
    *,
    out: Path,
    watch: Watch,
    folder: Path | None = None,
    engine: Engine | None = None,
    with_report: bool = True,
) -> Outcome:
    """Run ``plan``, leave its recording in ``folder``, or else in a new one below ``out``, judge and render it
    (unless ``with_report`` is False).

    ``engine`` runs the load generator; without one it is the engine that the plan names. Raises EnvironmentFailure if
    even the folder cannot be made.
    """
    raise_descriptor_limit()
    folder = folder or create_folder(out, plan)
    with Journal(folder) as journal:
        engine = engine or load(ENGINES.get(plan.engine).opener)(folder)
        run = Run(plan=plan, folder=folder, journal=journal, watch=watch, engine=engine)
        ending = with_full_disk(asyncio.run(ending_of(_conduct(run), watch)), folder)
        # On a full disk even this may not fit; a recording without an end is judged as one that ended early.
        with contextlib.suppress(OSError):
            end_recording(folder, journal, how=ending.how, why=ending.why)
    verdict: Verdict | None = None
    try:
        watch.phase("judge")
        verdict = judge_recording(folder)
        if with_report:
            watch.phase("report")
            render_report(folder)
    except HarnessError as error:
        # Without a recording there is nothing to judge; then the ending of the run is reported.
        if ending.exit_code is None:
            raise
        watch.note(f"not judged: {error}")
    exit_code = ending.exit_code
    if exit_code is None:
        assert verdict is not None
        exit_code = of_status(verdict.status)
    return Outcome(folder=folder, verdict=verdict, exit_code=exit_code, why=ending.why)


async def _conduct(run: Run) -> None:
    plan, folder, watch = run.plan, run.folder, run.watch
    run.enter("start")
    async with open_environment(plan.environment, topology=topology_of(plan), folder=folder, say=watch.note) as cluster:
        if plan.pilot is not None:
            # From here on this is the plan of the run; before, it was the plan that sizing predicted.
            run = replace(run, plan=await find_size(run, cluster))
            write_plan(folder, run.plan)
        await measure(run, cluster)
    if plan.query_log:
        statement_log.collect(folder)
    run.enter("sealed")
