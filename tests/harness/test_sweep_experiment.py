"""A whole sweep with made-up runs: the order, the early ends, and the verdict."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness import any_folder, experiment
from harness import sweep_experiment as sweep
from harness.exit_codes import ExitCode
from harness.experiment import Outcome
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.finding import Status
from harness.model.sweep_plan import Member, SweepPlan
from harness.model.watch import Watch
from harness.recording.reader import read_verdict
from harness.recording.sweep_folder import is_sweep_folder, read_sweep
from tests.harness.checks.sweep.test_scaling import a_verdict, sweep_of
from tests.harness.test_experiment import Silent


class Runs:
    """Stand-ins for the runs. ``ends`` gives their ends by number; the default is PASS."""

    def __init__(self, **ends: Any) -> None:
        self.names: list[str] = []
        self.ends = ends

    def run(self, plan: Any, *, out: Path, watch: Watch, folder: Path) -> Outcome:
        self.names.append(folder.name)
        end = self.ends.get(f"run{len(self.names)}", ExitCode.PASS)
        if isinstance(end, BaseException):
            raise end
        member = next(m for m in sweep_of().members if m.name == folder.name)
        if end is not ExitCode.ENVIRONMENT:
            from harness.recording.writer import write_verdict

            write_verdict(folder, a_verdict(member))
        return Outcome(folder=folder, verdict=None, exit_code=end, why="")


@contextmanager
def silent(member: Member) -> Iterator[Watch]:
    yield Silent()


def tell(runs: Runs, out: Path, plan: SweepPlan | None = None) -> Outcome:
    with mock.patch.object(experiment, "run_experiment", runs.run):
        return sweep.run_sweep(plan or sweep_of(), out=out, watching=silent, say=lambda text: None)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_every_run_is_made_in_the_planned_order_and_kept(tmp_path: Path) -> None:
    """Each run has a folder below that of the sweep. Verdict, report and index cover all runs."""
    runs = Runs()
    outcome = tell(runs, tmp_path)
    assert runs.names == [member.name for member in sweep_of().members]
    assert {path.name for path in (outcome.folder / "runs").iterdir()} == set(runs.names)
    assert {path.name for path in outcome.folder.iterdir()} >= {
        "plan.json",
        "events.jsonl",
        "verdict.json",
        "report.html",
    }
    assert (tmp_path / "index.html").read_text().count("report.html") == 1
    assert (tmp_path / "scenario-c" / "latest").resolve() == outcome.folder.resolve()
    # The made-up runs have no telemetry, so their cost is not known.
    assert outcome.exit_code is ExitCode.UNKNOWN


def test_a_run_that_fails_or_does_not_decide_does_not_end_the_sweep(tmp_path: Path) -> None:
    """The results of the other runs are still needed."""
    runs = Runs(run1=ExitCode.FAIL, run3=ExitCode.UNKNOWN)
    tell(runs, tmp_path)
    assert len(runs.names) == 8


@pytest.mark.parametrize(
    ("end", "code", "how"),
    [
        (ExitCode.ENVIRONMENT, ExitCode.ENVIRONMENT, "failed"),
        (ExitCode.INTERRUPTED, ExitCode.INTERRUPTED, "interrupted"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "interrupted"),
        (EnvironmentFailure("no folder"), ExitCode.ENVIRONMENT, "failed"),
        (OSError(28, "No space left on device"), ExitCode.ENVIRONMENT, "failed"),
    ],
)
def test_what_ends_a_sweep_early_leaves_what_is_there_judged(
    tmp_path: Path, end: Any, code: ExitCode, how: str
) -> None:
    """The exit code is that of the cause, and completeness is UNKNOWN. The events hold the ending."""
    runs = Runs(run3=end)
    outcome = tell(runs, tmp_path)
    assert len(runs.names) == 3
    assert outcome.exit_code is code
    assert outcome.verdict is not None
    found = {finding.check: finding for finding in outcome.verdict.findings}
    assert found["sweep-completeness"].status is Status.UNKNOWN
    assert (events(outcome.folder)[-1]["event"], events(outcome.folder)[-1]["how"]) == ("ended", how)


def test_a_sweep_is_read_back_as_it_was_planned(tmp_path: Path) -> None:
    """plan.json holds the whole sweep and marks the folder as that of a sweep."""
    outcome = tell(Runs(), tmp_path)
    assert is_sweep_folder(outcome.folder)
    assert not is_sweep_folder(next((outcome.folder / "runs").iterdir()))
    assert read_sweep(outcome.folder) == sweep_of()
    with pytest.raises(UsageError, match="sweep"):
        read_sweep(next((outcome.folder / "runs").iterdir()))


def test_judge_and_report_work_again_from_the_folder(tmp_path: Path) -> None:
    """Both give the same checks and a page again, also if the runs left no recording."""
    outcome = tell(Runs(), tmp_path)
    (outcome.folder / "report.html").unlink()
    verdict = any_folder.judge_folder(outcome.folder)
    assert {finding.check for finding in verdict.findings} == {f.check for f in read_verdict(outcome.folder).findings}
    assert any_folder.render_folder(outcome.folder).exists()
