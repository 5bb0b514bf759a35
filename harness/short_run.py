"""A short run on a cluster that is up: it has its own recording and is judged at once. Pilots and searches consist of
short runs."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

from harness.judging import judge_recording
from harness.measurement import Run, measure
from harness.model.cluster import Cluster
from harness.model.engine import ENGINES
from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.model.registry import load
from harness.model.watch import Progress, Watch
from harness.recording.seal import end_recording
from harness.recording.writer import Journal, fill_folder


async def run_briefly(plan: Plan, cluster: Cluster, folder: Path, watch: Watch) -> Verdict:
    """Measure ``plan`` on ``cluster``, leave its recording in ``folder``, which must not exist, and judge it.

    Raises the errors of `measurement.measure`, and EnvironmentFailure if the folder cannot be made.
    """
    try:
        folder.parent.mkdir(exist_ok=True)
        fill_folder(folder, plan)
    except OSError as error:
        raise EnvironmentFailure(f"{folder} cannot be written: {error.strerror or error}") from error
    how = "interrupted"
    with Journal(folder) as journal:
        engine = load(ENGINES.get(plan.engine).opener)(folder)
        run = Run(plan=plan, folder=folder, journal=journal, watch=_StepWatch(watch), engine=engine)
        try:
            await measure(run, cluster)
            run.enter("sealed")
            how = "complete"
        finally:
            with contextlib.suppress(OSError):
                end_recording(folder, journal, how=how, why="")
    return await asyncio.to_thread(judge_recording, folder)


@dataclass(frozen=True, slots=True)
class _StepWatch:
    """Shows the progress of a short run without its phases, which would hide the phases of the whole."""

    watch: Watch

    def phase(self, name: str) -> None: ...

    def recording(self, folder: Path) -> None:
        self.watch.recording(folder)

    def progress(self, progress: Progress) -> None:
        self.watch.progress(progress)

    def note(self, text: str) -> None:
        self.watch.note(text)
