from pathlib import Path

from harness.recording.proof_folder import PROOF_PAGE
from harness.report.page.proof_page import write_proof_page
from tests.harness.prove.proofs import RIGHT, WRONG, a_proof
from tests.harness.report.html import Document


def test_the_page_shows_every_row_and_escapes_its_words(tmp_path: Path) -> None:
    """Each place has a table. A report that exists is linked."""
    report = tmp_path / RIGHT.folder / "report.html"
    report.parent.mkdir(parents=True)
    report.touch()
    path = write_proof_page(tmp_path, a_proof(RIGHT, WRONG))
    assert path == tmp_path / PROOF_PAGE
    page = path.read_text()
    Document(page)
    assert 'href="runs/lose-one/scenario-a/x/report.html"' in page
    assert "Planted on the way" in page
    assert "Controls: no bug was planted" in page
    assert "a &lt;faithful&gt; server" in page
    assert "NOT PROVED" in page
    assert "attempt 3" in page
