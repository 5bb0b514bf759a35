"""The folder of a matrix, and the recordings of its cells in it."""

import json
from pathlib import Path

import pytest

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.matrix_plan import Cell, MatrixPlan, System
from harness.recording.format import PLAN
from harness.recording.matrix_folder import (
    cell_folder,
    create_cell_folder,
    create_matrix_folder,
    is_matrix_folder,
    read_matrix,
)
from harness.recording.writer import create_folder
from tests.harness.plans import a_plan

SYSTEM = System(backplane="redis", write_path="db-first")
CELL = Cell(order=1, system=SYSTEM, scenario="scenario-a", servers=2, repetition=1, plan=a_plan())
LEFT_OUT = Cell(
    order=2, system=SYSTEM, scenario="scenario-b", servers=2, repetition=1, plan=None, because="no broker here"
)
MATRIX = MatrixPlan(
    systems=(SYSTEM,),
    scenarios=("scenario-a", "scenario-b"),
    cells=(CELL, LEFT_OUT),
    repeat=1,
    predicted_s=10.0,
    reference=a_plan(scenario="matrix"),
    adapter_lines={"redis": 70},
)


def test_a_matrix_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The plan includes the cells that were left out. The folder has no rows of its own, because they are in its
    runs."""
    folder = create_matrix_folder(tmp_path, MATRIX)
    assert folder.parent == tmp_path / "matrix"
    assert is_matrix_folder(folder)
    assert read_matrix(folder) == MATRIX
    assert sorted(path.name for path in folder.iterdir()) == ["plan.json", "runs"]


def test_a_cell_is_a_recording_of_its_own(tmp_path: Path) -> None:
    folder = create_matrix_folder(tmp_path, MATRIX)
    made = create_cell_folder(folder, CELL)
    assert made == cell_folder(folder, CELL) == folder / "runs" / "001-redis-scenario-a-2x1"
    assert not is_matrix_folder(made)


def test_a_single_run_is_no_matrix(tmp_path: Path) -> None:
    folder = create_folder(tmp_path, a_plan())
    assert not is_matrix_folder(folder)
    with pytest.raises(UsageError, match="expected the folder of a matrix"):
        read_matrix(folder)


def test_a_folder_without_a_plan_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a run's folder"):
        is_matrix_folder(tmp_path)


def test_a_damaged_matrix_is_told(tmp_path: Path) -> None:
    """A field of the wrong type is refused, never converted."""
    folder = create_matrix_folder(tmp_path, MATRIX)
    document = json.loads((folder / PLAN).read_text())
    document["matrix"]["repeat"] = "often"
    (folder / PLAN).write_text(json.dumps(document))
    with pytest.raises(UsageError, match="repeat"):
        read_matrix(folder)


def test_results_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    """A file is in the place of the folder of the matrix or of a cell."""
    folder = create_matrix_folder(tmp_path, MATRIX)
    (folder / "runs").rmdir()
    (folder / "runs").touch()
    with pytest.raises(EnvironmentFailure, match="cannot be written below"):
        create_cell_folder(folder, CELL)
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        create_matrix_folder(tmp_path / "file", MATRIX)
