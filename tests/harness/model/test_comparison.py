"""The verdict of a comparison, from its parts."""

from dataclasses import replace

import pytest

from harness.model.comparison import Change, Comparison, Difference, MeasureComparison, SafetyRegression
from harness.model.status import Status


def a_measure(change: Change) -> MeasureComparison:
    return MeasureComparison(
        point="", measure="m", base=1.0, run=1.0, base_runs=1, runs=1, margin_percent=5.0, change=change
    )


SAME, WORSE = a_measure(Change.SAME), a_measure(Change.WORSE)
BETTER, UNDECIDED = a_measure(Change.BETTER), a_measure(Change.UNDECIDED)
REGRESSION = SafetyRegression(point="", check="lost", status=Status.FAIL, run="r")
DIFFERENCE = Difference(what="servers", base="4", run="8")
EMPTY = Comparison(base_name="b", run_name="r", base=(), run=())


@pytest.mark.parametrize(
    ("measures", "status"),
    [
        ((), Status.UNKNOWN),
        ((SAME,), Status.PASS),
        ((SAME, BETTER), Status.PASS),
        ((SAME, UNDECIDED), Status.UNKNOWN),
        ((UNDECIDED, WORSE, BETTER), Status.FAIL),
    ],
)
def test_the_worst_change_decides(measures: tuple[MeasureComparison, ...], status: Status) -> None:
    """Without a measure the result is not the same. A better measure does not compensate a worse one."""
    assert replace(EMPTY, measures=measures).status is status


def test_a_gap_leaves_a_pass_undecided_and_a_fail_standing() -> None:
    """Less evidence never decides more."""
    assert replace(EMPTY, measures=(SAME,), gaps=("no history",)).status is Status.UNKNOWN
    assert replace(EMPTY, measures=(WORSE,), gaps=("no history",)).status is Status.FAIL


def test_what_differs_forbids_a_verdict_but_not_that_of_safety() -> None:
    """A message that was lost on another machine is still lost."""
    other = replace(EMPTY, measures=(WORSE,), differences=(DIFFERENCE,))
    assert other.status is Status.UNKNOWN
    assert replace(other, safety=(REGRESSION,)).status is Status.FAIL
    assert replace(EMPTY, measures=(SAME,), noted=(DIFFERENCE,)).status is Status.PASS


def test_across_there_is_no_verdict_at_all() -> None:
    """The user asked for a report without a verdict."""
    assert replace(EMPTY, measures=(WORSE,), safety=(REGRESSION,), across=True).status is Status.UNKNOWN
