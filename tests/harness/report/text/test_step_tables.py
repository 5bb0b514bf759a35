from harness.model.measurements.claims import Outcome
from harness.model.measurements.steps import StepLatencies
from harness.report.text.step_tables import claim_table, clock_note, decision_table, outcome, step_table, steps
from tests.harness.report import verdicts

STEPS = verdicts.measurements().steps


def test_the_five_steps_stand_in_the_order_of_a_message() -> None:
    """Each step has its two percentiles. Without traces they read as unknown."""
    found = steps(STEPS)
    assert [step.name for step in found] == ["Ingest", "Commit", "Publish", "Fan-out", "Push"]
    assert (found[1].p50, found[1].p99) == ("8.1\u00a0ms", "34.6\u00a0ms")
    assert found[1].what == "PostgreSQL commits it."
    assert {step.p99 for step in steps(None)} == {"–"}


def test_the_table_ends_with_the_total_and_leaves_out_what_was_not_measured() -> None:
    """A step without samples has no row. The other steps keep their numbers."""
    found = step_table(StepLatencies(commit=verdicts.percentiles(1, 2, 3, 4), total=verdicts.percentiles(1, 2, 3, 4)))
    assert found is not None
    assert [row[0].text for row in found.rows] == ["2. Commit", "Total"]
    assert step_table(StepLatencies()) is None
    assert step_table(None) is None


def test_clocks_that_cannot_be_compared_are_named() -> None:
    """The note names the steps that were left out and the error of the clocks. A single clock needs no note."""
    assert clock_note(STEPS) == clock_note(None) == ""
    note = clock_note(StepLatencies(left_out=("fan_out",), clock_bound_ms=0.5))
    assert note.startswith("Not measured: fan-out.")
    assert note.endswith("an error of up to 0.5\u00a0ms into each sample.")
    impossible = clock_note(StepLatencies(negative=("push",)))
    assert impossible.startswith("Not measured: push. By the servers' traces these steps took less than no time")


def test_claims_and_decisions_have_a_row_each() -> None:
    """A row has the claim, the measurement, and whether the measurement supports the claim."""
    claims = claim_table(verdicts.measurements().claims)
    assert claims is not None
    assert [cell.text for cell in claims.rows[2]] == ["Step 4, fan-out", "< 1 ms", "P99 6.4 ms", "contradicted"]
    decisions = decision_table(verdicts.measurements().decisions)
    assert decisions is not None
    assert decisions.rows[0][0].lines == ("DB-first write path",)
    assert claim_table(()) is decision_table(()) is None


def test_an_outcome_has_the_colour_of_its_meaning() -> None:
    """Supported has the colour of pass, contradicted of fail, and not reached of unknown."""
    assert [outcome(status).status for status in Outcome] == ["pass", "fail", "unknown"]
