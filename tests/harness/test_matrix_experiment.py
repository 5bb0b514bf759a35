"""A whole matrix with made-up cells: the order, the early ends, the verdict and the output."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness import any_folder, experiment, matrix_console
from harness import matrix_experiment as matrix
from harness.exit_codes import ExitCode
from harness.experiment import Outcome
from harness.model.errors import UsageError
from harness.model.finding import Status
from harness.model.matrix_plan import Cell, MatrixPlan
from harness.model.watch import Watch
from harness.recording.matrix_folder import is_matrix_folder, read_matrix
from harness.recording.reader import read_verdict
from harness.recording.writer import write_verdict
from tests.harness.checks.matrix.test_matrix_judging import a_verdict
from tests.harness.planning.test_matrix_planner import asked, planned
from tests.harness.test_experiment import Silent


def plan_of() -> MatrixPlan:
    return planned(asked("redis", "memory"))


class Runs:
    """Stand-ins for the cells. ``ends`` gives their ends by number; the default is PASS."""

    def __init__(self, **ends: Any) -> None:
        self.names: list[str] = []
        self.ends = ends

    def run(self, plan: Any, *, out: Path, watch: Watch, folder: Path) -> Outcome:
        self.names.append(folder.name)
        end = self.ends.get(f"cell{len(self.names)}", ExitCode.PASS)
        if isinstance(end, BaseException):
            raise end
        cell = next(cell for cell in plan_of().running if cell.name == folder.name)
        if end is not ExitCode.ENVIRONMENT:
            write_verdict(folder, a_verdict(cell))
        return Outcome(folder=folder, verdict=None, exit_code=end, why="no port" if end is ExitCode.ENVIRONMENT else "")


@contextmanager
def silent(cell: Cell) -> Iterator[Watch]:
    yield Silent()


def tell(runs: Runs, out: Path) -> Outcome:
    with mock.patch.object(experiment, "run_experiment", runs.run):
        return matrix.run_matrix(plan_of(), out=out, watching=silent, say=lambda text: None)


def test_every_cell_is_run_in_the_planned_order_and_kept(tmp_path: Path) -> None:
    """Each cell has a folder below that of the matrix. Verdict, report and index cover all cells."""
    runs = Runs()
    outcome = tell(runs, tmp_path)
    assert runs.names == [cell.name for cell in plan_of().running]
    assert {path.name for path in (outcome.folder / "runs").iterdir()} == set(runs.names)
    assert {path.name for path in outcome.folder.iterdir()} >= {
        "plan.json",
        "events.jsonl",
        "verdict.json",
        "report.html",
    }
    assert (tmp_path / "index.html").read_text().count("report.html") == 1
    page = (outcome.folder / "report.html").read_text()
    assert "memory has no such part" in page


def test_a_cell_that_cannot_be_started_does_not_end_the_matrix(tmp_path: Path) -> None:
    """The other cells are run. The verdict names the reason of the failed cell, and completeness is UNKNOWN."""
    runs = Runs(cell2=ExitCode.ENVIRONMENT)
    outcome = tell(runs, tmp_path)
    assert len(runs.names) == len(plan_of().running)
    assert outcome.verdict is not None
    found = {finding.check: finding for finding in outcome.verdict.findings}
    assert found["matrix-completeness"].status is Status.UNKNOWN
    assert "no port" in found["matrix-completeness"].examples[0]


@pytest.mark.parametrize("end", [ExitCode.INTERRUPTED, KeyboardInterrupt()])
def test_an_interrupted_matrix_is_judged_by_what_it_has(tmp_path: Path, end: Any) -> None:
    """The exit code is 5, and the finished cells are kept."""
    runs = Runs(cell2=end)
    outcome = tell(runs, tmp_path)
    assert len(runs.names) == 2
    assert outcome.exit_code is ExitCode.INTERRUPTED
    assert outcome.verdict is not None
    last = json.loads((outcome.folder / "events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["how"]) == ("ended", "interrupted")


def test_a_matrix_is_read_judged_and_rendered_again(tmp_path: Path) -> None:
    """plan.json holds the whole matrix. `judge` and `report` work on its folder."""
    outcome = tell(Runs(), tmp_path)
    assert is_matrix_folder(outcome.folder)
    assert read_matrix(outcome.folder) == plan_of()
    cell = next((outcome.folder / "runs").iterdir())
    with pytest.raises(UsageError, match="matrix"):
        read_matrix(cell)
    (outcome.folder / "report.html").unlink()
    verdict = any_folder.judge_folder(outcome.folder)
    assert [finding.check for finding in verdict.findings] == [f.check for f in read_verdict(outcome.folder).findings]
    assert any_folder.render_folder(outcome.folder).exists()


def test_the_terminal_shows_what_will_run_and_what_was_found(tmp_path: Path) -> None:
    """The plan shows reasons and time. The table has a line for each system."""
    lines = "\n".join(matrix_console.plan_lines(plan_of()))
    assert "takes       about" in lines
    assert "memory has no such part" in lines
    outcome = tell(Runs(), tmp_path)
    assert outcome.verdict is not None
    table = "\n".join(matrix_console.table_lines(outcome.verdict))
    assert "redis" in table
    assert "memory" in table


def test_a_matrix_is_lines_of_the_history_and_a_summary(tmp_path: Path) -> None:
    """The history gets one line for each cell and one for the whole matrix. The summary has the matrix's own checks."""
    from harness.history.folders import entries_of
    from harness.publishing import summarize_folder

    outcome = tell(Runs(), tmp_path)
    entries = entries_of(outcome.folder, tmp_path)
    assert [entry.kind for entry in entries] == ["member"] * len(plan_of().running) + ["matrix"]
    assert any(entry.point == "memory scenario-a 1 servers" for entry in entries)
    assert outcome.verdict is not None
    summary = summarize_folder(outcome.folder, outcome.verdict)
    assert {case.name for case in summary.cases} >= {"safety-of-every-system", "limits-of-every-system"}
