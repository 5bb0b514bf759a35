from dataclasses import replace

from harness.model.finding import Bias, Kind
from harness.report.text.criteria import BIASES, criteria, examples, validity
from tests.harness.report import verdicts


def test_a_row_shows_kind_status_and_evidence() -> None:
    """Each finding has its kind below its check, its confidence below its samples, and its bias below its summary."""
    found = criteria(verdicts.failed().findings, "Criteria")
    assert found is not None
    assert [row[1].text for row in found.rows][:3] == ["FAIL", "UNKNOWN", "UNKNOWN"]
    latency, late = found.rows[1], found.rows[2]
    assert latency[0].lines == ("performance",)
    assert latency[5].lines == ("95 % between 480 and 701 ms",)
    assert late[2].lines == (BIASES[Bias.PESSIMISTIC],)


def test_without_findings_there_is_no_table() -> None:
    """None lets the page say that nothing is decided."""
    assert criteria((), "Criteria") is None


def test_examples_belong_to_their_check() -> None:
    """Only findings with examples are listed."""
    (found,) = examples(verdicts.failed())
    assert found.check == "lost"
    assert len(found.examples) == 20
    assert examples(verdicts.passed()) == ()


def test_validity_says_how_far_the_measurement_can_be_trusted() -> None:
    """All passed, some did not, or none was made: three different sentences."""
    passed = verdicts.passed()
    assert validity(passed) == "Yes: all 2 validity checks passed."
    assert "did not pass: send_late. This can only make figures worse" in validity(verdicts.failed())
    others = tuple(finding for finding in passed.findings if finding.kind is not Kind.VALIDITY)
    assert "No check has looked at the load generator" in validity(replace(passed, findings=others))
