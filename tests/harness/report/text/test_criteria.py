from dataclasses import replace

from harness.model.finding import Bias, Kind
from harness.report.text.criteria import BIASES, criteria, examples, validity
from tests.harness.report import verdicts


def test_a_row_shows_kind_status_and_evidence() -> None:
    """The kind is below the check, the confidence below the samples, and the bias below the summary."""
    found = criteria(verdicts.failed().findings).open
    assert found is not None
    assert [row[1].text for row in found.rows] == ["FAIL", "UNKNOWN", "UNKNOWN"]
    latency, late = found.rows[1], found.rows[2]
    assert latency[0].lines == ("performance",)
    assert latency[5].lines == ("95 % between 480 and 701 ms",)
    assert late[2].lines == (BIASES[Bias.PESSIMISTIC],)


def test_what_passed_is_a_line_for_each_kind() -> None:
    """The line has the names of the checks, and their table. Every finding is listed exactly once."""
    findings = verdicts.failed().findings
    found = criteria(findings)
    assert [group.line.split(":")[0] for group in found.passed] == ["Safety"]
    assert all(row[1].text == "PASS" for group in found.passed for row in group.table.rows)
    assert found.open is not None
    rows = [*found.open.rows, *(row for group in found.passed for row in group.table.rows)]
    assert sorted(row[0].text for row in rows) == sorted(finding.check for finding in findings)
    assert all(row[0].text in group.checks for group in found.passed for row in group.table.rows)
    assert criteria(verdicts.passed().findings).open is None


def test_without_findings_there_is_nothing() -> None:
    """The page can then say that nothing is decided."""
    assert not criteria(())


def test_examples_belong_to_their_check() -> None:
    """Only findings with examples are listed."""
    (found,) = examples(verdicts.failed())
    assert found.check == "lost"
    assert len(found.examples) == 20
    assert examples(verdicts.passed()) == ()


def test_validity_says_how_far_the_measurement_can_be_trusted() -> None:
    """There are three sentences: all checks passed, some did not, or none was made."""
    passed = verdicts.passed()
    assert validity(passed) == "Yes: all 2 validity checks passed."
    assert "did not pass: send_late. This can only make figures worse" in validity(verdicts.failed())
    others = tuple(finding for finding in passed.findings if finding.kind is not Kind.VALIDITY)
    assert "No check of the load generator" in validity(replace(passed, findings=others))
