"""What a run's report says about the measured alternatives of the architecture: the newest matrix of its machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.model.last_matrix import LastMatrix
from harness.report.text.matrix_tables import decision_matrix
from harness.report.text.quantities import count
from harness.report.text.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixNote:
    """``link`` is empty and ``table`` None where there is no matrix; ``table`` is None where it has no figures yet."""

    sentence: str
    link: str = ""
    table: Table | None = None


NO_MATRIX = MatrixNote(
    sentence="These results hold no matrix of this machine, so nothing sets the alternatives beside the decided system. "
    "`harness matrix` makes one; with `--size smoke` it takes a few minutes."
)


def matrix_note(folder: Path, matrix: LastMatrix | None) -> MatrixNote:
    """``folder`` is the report's: the link is relative to it."""
    if matrix is None:
        return NO_MATRIX
    link = quote(os.path.relpath(matrix.page, folder.resolve()))
    measured = matrix.measured
    if measured is None:
        return MatrixNote(sentence="This run is a cell of a matrix, which puts all systems side by side.", link=link)
    cells = len([cell for cell in measured.cells if cell.run])
    return MatrixNote(
        sentence=f"The newest matrix of this machine began {matrix.began}: {count(len(measured.systems))} systems, "
        f"{count(cells)} cells, {matrix.size} size, {matrix.environment}. Its sizes are not those of this run.",
        link=link,
        table=decision_matrix(measured),
    )
