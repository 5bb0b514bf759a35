"""The matrix that a report links to: the newest complete one of the run's machine."""

import json
from pathlib import Path

import pytest

from harness.history.folders import entries_of
from harness.history.history_file import HISTORY, append_entry
from harness.history.last_matrix import last_matrix
from harness.recording.matrix_folder import create_cell_folder, create_matrix_folder
from harness.recording.writer import write_json, write_verdict
from tests.harness.checks.matrix.test_matrix_judging import judged_matrix
from tests.harness.planning.test_matrix_planner import asked, planned
from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run

OTHER_MACHINE = verdicts.MACHINE | {"cpu": "another processor"}


def a_matrix(
    results: Path, second: int, *, machine: dict[str, object] = verdicts.MACHINE, how: str = "complete"
) -> Path:
    """A judged matrix in ``results``, begun in this second, with its lines in the history."""
    plan = planned(asked("redis", "memory"))
    folder = create_matrix_folder(results, plan)
    cell = create_cell_folder(folder, plan.running[0])
    write_json(cell / "machine.json", machine)
    began = {"at_ns": 1, "event": "phase", "name": "start", "wall": f"2026-01-01T00:00:{second:02}.000Z"}
    (folder / "events.jsonl").write_text(
        "\n".join(map(json.dumps, (began, {"at_ns": 2, "event": "ended", "how": how}))) + "\n"
    )
    write_verdict(folder, judged_matrix(plan))
    (folder / "report.html").touch()
    for entry in entries_of(folder, results):
        append_entry(results, entry)
    return folder


def test_the_newest_one_of_the_machine_is_found(tmp_path: Path) -> None:
    """An older matrix, a matrix of another machine and an interrupted matrix are not shown."""
    run = a_run(tmp_path, "run")
    assert last_matrix(run, verdicts.MACHINE) is None
    a_matrix(tmp_path, 1)
    newest = a_matrix(tmp_path, 2)
    a_matrix(tmp_path, 3, machine=OTHER_MACHINE)
    a_matrix(tmp_path, 4, how="interrupted")
    found = last_matrix(run, verdicts.MACHINE)
    assert found is not None
    assert (found.page, found.began) == (str(newest / "report.html"), "2026-01-01T00:00:02.000Z")
    assert found.measured is not None
    assert [one.system for one in found.measured.systems] == ["redis", "memory"]


@pytest.mark.parametrize("gone", ["verdict.json", "report.html"])
def test_one_that_is_gone_gives_way_to_the_one_before(tmp_path: Path, gone: str) -> None:
    """The link must have a target, and the figures must be readable."""
    run = a_run(tmp_path, "run")
    older = a_matrix(tmp_path, 1)
    (a_matrix(tmp_path, 2) / gone).unlink()
    found = last_matrix(run, verdicts.MACHINE)
    assert found is not None
    assert found.page == str(older / "report.html")


def test_a_run_of_a_sweep_finds_it_too(tmp_path: Path) -> None:
    """The folder of such a run is two levels deeper."""
    newest = a_matrix(tmp_path, 1)
    member = tmp_path / "scenario-c" / "2026" / "runs" / "01"
    member.mkdir(parents=True)
    found = last_matrix(member, verdicts.MACHINE)
    assert found is not None
    assert found.page == str(newest / "report.html")


def test_a_cell_points_to_its_own_matrix(tmp_path: Path) -> None:
    """The matrix has no figures yet when the report of the cell is written."""
    a_matrix(tmp_path, 1)
    own = a_matrix(tmp_path, 2)
    found = last_matrix(next((own / "runs").iterdir()), verdicts.MACHINE)
    assert found is not None
    assert (found.page, found.measured) == (str(own / "report.html"), None)


def test_results_without_a_readable_history_have_none(tmp_path: Path) -> None:
    """A run that was copied elsewhere and a history that cannot be read do not stop a report."""
    run = tmp_path / "copy" / "run"
    run.mkdir(parents=True)
    assert last_matrix(run, verdicts.MACHINE) is None
    (tmp_path / HISTORY).write_text("no line of ours\n")
    assert last_matrix(run, verdicts.MACHINE) is None
