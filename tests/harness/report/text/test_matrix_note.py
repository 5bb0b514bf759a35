from pathlib import Path

from harness.model.last_matrix import LastMatrix
from harness.report.text.matrix_note import NO_MATRIX, matrix_note
from tests.harness.checks.matrix.test_matrix_judging import judged_matrix
from tests.harness.planning.test_matrix_planner import asked, planned


def test_a_report_shows_the_figures_of_the_newest_matrix(tmp_path: Path) -> None:
    """The note shows latency, durability, operation and scaling of each system, and when and at what size they were
    measured. The link is relative."""
    verdict = judged_matrix(planned(asked("redis", "memory")))
    page = str(tmp_path / "matrix" / "a b" / "report.html")
    last = LastMatrix(
        page=page, began="2026-01-01T00:00:02Z", size="smoke", environment="embedded", measured=verdict.matrix
    )
    note = matrix_note(tmp_path / "scenario-a" / "x", last)
    assert note.link == "../../matrix/a%20b/report.html"
    assert "2026-01-01T00:00:02Z" in note.sentence
    assert "2 systems" in note.sentence
    assert "smoke size, embedded" in note.sentence
    assert note.table is not None
    assert [row[0].text for row in note.table.rows] == ["redis", "memory"]
    assert {"Latency", "Durability", "To operate", "Scaling"} <= set(note.table.columns)


def test_a_report_says_which_command_makes_a_matrix() -> None:
    """There is no matrix yet."""
    assert matrix_note(Path("x"), None) == NO_MATRIX
    assert "`harness matrix`" in NO_MATRIX.sentence


def test_a_cell_names_its_matrix_without_figures(tmp_path: Path) -> None:
    """The figures of the matrix are made after the report of the cell."""
    note = matrix_note(tmp_path / "runs" / "001", LastMatrix(page=str(tmp_path / "report.html")))
    assert (note.link, note.table) == ("../../report.html", None)
    assert "cell of a matrix" in note.sentence
