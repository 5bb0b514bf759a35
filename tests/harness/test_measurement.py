"""Each update of the progress is shown and recorded. A final safety failure is reported."""

from pathlib import Path

import pytest

from harness.ending import ending_of
from harness.live.rows import LiveRows
from harness.measurement import Lookout
from harness.model.errors import SafetyFailure
from harness.model.watch import Progress
from tests.harness.plans import a_plan
from tests.harness.test_experiment import Silent


class Noting(Silent):
    def __init__(self) -> None:
        self.shown: list[Progress] = []
        self.notes: list[str] = []

    def progress(self, progress: Progress) -> None:
        self.shown.append(progress)

    def note(self, text: str) -> None:
        self.notes.append(text)


def looked(folder: Path, *progresses: Progress, fail_fast: bool = False) -> Noting:
    plan, watch = a_plan(fail_fast=fail_fast), Noting()
    with LiveRows(plan, folder, tuple) as live:
        lookout = Lookout(plan=plan, live=live, watch=watch)
        for progress in progresses:
            lookout.look(progress)
    return watch


def test_a_final_safety_failure_is_told_once_and_at_once(tmp_path: Path) -> None:
    """Without --fail-fast the run continues, because the extent of the loss is worth knowing."""
    watch = looked(tmp_path, Progress(), Progress(broken=3), Progress(broken=9))
    assert len(watch.shown) == 3
    assert len(watch.notes) == 1
    assert "will FAIL" in watch.notes[0]
    assert "3 deliveries" in watch.notes[0]


def test_fail_fast_ends_the_run_there(tmp_path: Path) -> None:
    """The verdict over the recording so far decides the exit code."""
    with pytest.raises(SafetyFailure, match="--fail-fast"):
        looked(tmp_path, Progress(broken=1), fail_fast=True)
    assert looked(tmp_path, Progress(), fail_fast=True).notes == []


def test_the_ending_of_a_run_that_failed_fast_leaves_the_code_to_the_verdict() -> None:
    """The end is no failure of the environment."""
    import asyncio

    async def work() -> None:
        raise SafetyFailure("broken")

    ending = asyncio.run(ending_of(work(), Silent()))
    assert (ending.how, ending.why, ending.exit_code) == ("failed fast", "broken", None)
