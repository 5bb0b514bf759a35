"""The folder of a matrix: results/matrix/<UTC time>/ with plan.json, events.jsonl, verdict and report of the whole, and
``runs/<order>-<system>-<scenario>-<servers>x<repetition>/``, each with its own recording."""

import json
from dataclasses import asdict
from pathlib import Path

import msgspec

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.matrix_plan import Cell, MatrixPlan
from harness.recording.format import ARRAYS, LOGS, PLAN, RUNS, VERSION
from harness.recording.reader import read_plan
from harness.recording.writer import create_folder, fill_folder, write_json

_KEY = "matrix"


def create_matrix_folder(results: Path, plan: MatrixPlan) -> Path:
    """A new folder for ``plan``. Raises EnvironmentFailure if it cannot be written."""
    folder = create_folder(results, plan.reference)
    try:
        for part in (ARRAYS, LOGS):
            (folder / part).rmdir()
        (folder / RUNS).mkdir()
        document = {"version": VERSION, "plan": asdict(plan.reference), _KEY: msgspec.to_builtins(plan)}
        write_json(folder / PLAN, document)
    except OSError as error:
        raise EnvironmentFailure(f"results cannot be written below {results}: {error.strerror or error}") from error
    return folder


def create_cell_folder(folder: Path, cell: Cell) -> Path:
    """A new folder for one cell of the matrix in ``folder``."""
    assert cell.plan is not None, "a cell without a plan is never run"
    path = cell_folder(folder, cell)
    try:
        fill_folder(path, cell.plan)
    except OSError as error:
        raise EnvironmentFailure(f"results cannot be written below {folder}: {error.strerror or error}") from error
    return path


def cell_folder(folder: Path, cell: Cell) -> Path:
    return folder / RUNS / cell.name


def is_matrix_folder(folder: Path) -> bool:
    """Whether ``folder`` holds a matrix. Raises UsageError if it holds no run."""
    read_plan(folder)
    return _KEY in json.loads((folder / PLAN).read_text(encoding="utf-8"))


def read_matrix(folder: Path) -> MatrixPlan:
    """Raises UsageError for a folder that is not a matrix, or is of another version."""
    read_plan(folder)
    document = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    try:
        return msgspec.convert(document[_KEY], MatrixPlan)
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"{folder}: expected the folder of a matrix, found {error}") from error
