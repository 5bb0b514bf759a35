from harness.report.text.proof_lines import row_lines, summary
from tests.harness.prove.proofs import RIGHT, WRONG, a_proof


def test_a_row_is_a_line_and_what_is_wrong_follows() -> None:
    """Counts that were not made are left out."""
    assert list(row_lines(RIGHT)) == ["right  lose-one  on the way, planted 1, found 1, 6.2 s: lost FAIL with 1"]
    assert list(row_lines(WRONG)) == [
        "WRONG  faithful-01  nowhere: a control, 12.0 s: verdict FAIL",
        "       expected verdict PASS; found verdict FAIL",
    ]


def test_the_summary_counts_what_came_out_right() -> None:
    """The summary says PROVED only if every row is right."""
    assert summary(a_proof(RIGHT)) == "PROVED  harness 9.9.9, quick: 1 of 1 as expected, in 18 s"
    assert summary(a_proof(RIGHT, WRONG)).startswith("NOT PROVED  harness 9.9.9, quick: 1 of 2")
