from pathlib import Path

from harness.model.proof import LastProof
from harness.report.text.proof_note import NO_PROOF, proof_note


def test_a_report_links_to_the_proof_or_says_that_there_is_none(tmp_path: Path) -> None:
    """The link is relative to the report's folder."""
    assert proof_note(tmp_path, None) == NO_PROOF
    assert "This version of the harness was not proved" in NO_PROOF.sentence
    last = LastProof(
        version="9.9.9",
        scope="whole",
        began="2026-01-01T00:00:00Z",
        right=61,
        total=62,
        page=str(tmp_path / "prove" / "a b" / "proof.html"),
    )
    note = proof_note(tmp_path / "scenario-a" / "x", last)
    assert note.link == "../../prove/a%20b/proof.html"
    assert "61 of 62 planted bugs and controls had the expected verdict" in note.sentence
