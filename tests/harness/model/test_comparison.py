"""What a comparison comes to: safety first, then whether it may be compared, then the measures."""

from dataclasses import replace

import pytest

from harness.model.comparison import Change, Comparison, Difference, MeasureComparison, SafetyRegression
from harness.model.status import Status

LOST = SafetyRegression(point="", check="lost", status=Status.FAIL, run="b")
OTHER_MACHINE = Difference(what="machine", base="a", run="b")


def compared(*changes: Change) -> Comparison:
    """Two groups with one measure for each change."""
    measures = tuple(
        MeasureComparison(
            point="", measure="m", base=1.0, run=1.0, base_runs=1, runs=1, margin_percent=5.0, change=change
        )
        for change in changes
    )
    return Comparison(base_name="a", run_name="b", base=(), run=(), measures=measures)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ((Change.SAME, Change.BETTER), Status.PASS),
        ((Change.SAME, Change.UNDECIDED), Status.UNKNOWN),
        ((Change.UNDECIDED, Change.WORSE), Status.FAIL),
        ((), Status.UNKNOWN),
    ],
)
def test_the_worst_measure_decides(changes: tuple[Change, ...], status: Status) -> None:
    """Nothing compared is no PASS."""
    assert compared(*changes).status is status


def test_a_gap_leaves_sameness_undecided_and_a_change_for_the_worse_standing() -> None:
    assert replace(compared(Change.SAME), gaps=("no run of 8 servers",)).status is Status.UNKNOWN
    assert replace(compared(Change.WORSE), gaps=("no run of 8 servers",)).status is Status.FAIL


def test_groups_that_differ_say_nothing_of_their_measures() -> None:
    """What is only noted forbids nothing."""
    assert replace(compared(Change.WORSE), differences=(OTHER_MACHINE,)).status is Status.UNKNOWN
    assert replace(compared(Change.SAME), noted=(OTHER_MACHINE,)).status is Status.PASS


def test_lost_safety_fails_whatever_else_differs() -> None:
    """Only a report in spite of differences has no verdict at all."""
    lost = replace(compared(Change.SAME), safety=(LOST,), differences=(OTHER_MACHINE,))
    assert lost.status is Status.FAIL
    assert replace(lost, across=True).status is Status.UNKNOWN
