"""Which matrix a run's report points to: the newest one of the same machine among the same results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.history.history_file import history_path, read_history
from harness.measures.keys import key_of, machine_parts
from harness.model.errors import UsageError
from harness.model.last_matrix import LastMatrix
from harness.model.matrix_plan import MATRIX
from harness.recording.format import REPORT, RUNS
from harness.recording.matrix_folder import is_matrix_folder
from harness.recording.reader import read_verdict

_LEVELS = 4
"""A run lies two levels below the results, a run of a sweep four."""


def last_matrix(folder: Path, machine: Mapping[str, Any]) -> LastMatrix | None:
    """For the run in ``folder``, which ``machine`` (machine.json) describes. None where its results have no matrix of that
    machine whose figures can still be read."""
    folder = folder.resolve()
    if (own := _own_matrix(folder)) is not None:
        return LastMatrix(page=str(own / REPORT))
    results = next((above for above in folder.parents[:_LEVELS] if history_path(above).is_file()), None)
    if results is None:
        return None
    key = key_of(machine_parts(machine))
    try:
        entries = read_history(results).entries
    except UsageError:
        return None
    wanted = [one for one in entries if one.kind == MATRIX and one.complete and one.machine_key == key]
    found = (_read(results / one.run, one.began) for one in reversed(wanted))
    return next((matrix for matrix in found if matrix is not None), None)


def _own_matrix(folder: Path) -> Path | None:
    """The matrix' folder where ``folder`` is that of a cell."""
    if folder.parent.name != RUNS:
        return None
    try:
        return folder.parent.parent if is_matrix_folder(folder.parent.parent) else None
    except (UsageError, OSError, ValueError):
        return None


def _read(folder: Path, began: str) -> LastMatrix | None:
    """None where the recording is gone, or is of another version."""
    try:
        verdict = read_verdict(folder)
    except (UsageError, OSError, ValueError):
        return None
    page = folder / REPORT
    if verdict.matrix is None or not page.is_file():
        return None
    plan = verdict.plan
    return LastMatrix(
        page=str(page),
        began=began,
        size=str(plan.size),
        environment=plan.environment,
        measured=verdict.matrix,
    )
