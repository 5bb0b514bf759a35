"""Worse, better, same or undecided: the interval is compared with the margin."""

import math

import pytest

from harness.comparison.judgement import Judged, compare_measure, decide
from harness.comparison.spread import Spread
from harness.model.comparison import Change, Method
from harness.model.history import Measured
from harness.model.measure import MEASURES

QUIET = Spread(sigma=0.005, freedom=30, runs=30)


def judged(
    base: list[float],
    run: list[float],
    *,
    margin: float = 5.0,
    spread: Spread = QUIET,
    measure: str = "",
    interleaved: bool = False,
) -> Judged:
    return compare_measure(
        MEASURES.get(measure or "servers_cpu_us_per_delivery"),
        [Measured(value=value) for value in base],
        [Measured(value=value) for value in run],
        point="",
        margin_percent=margin,
        spread=spread,
        interleaved=interleaved,
    )


def change(*arguments: list[float], **options: object) -> Change:
    return decide([judged(*arguments, **options)])[0].change


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (100.0, Change.SAME),
        (103.0, Change.SAME),
        (105.0, Change.UNDECIDED),
        (112.0, Change.WORSE),
        (88.0, Change.BETTER),
    ],
)
def test_one_run_against_one(run: float, expected: Change) -> None:
    """The measure has little noise, and the margin is 5 %. A change at the margin is not decided."""
    assert change([100.0], [run]) is expected


def test_more_capacity_is_better() -> None:
    """The measure defines which direction is better."""
    assert change([100.0], [130.0], measure="capacity") is Change.BETTER
    assert change([100.0], [70.0], measure="capacity") is Change.WORSE


def test_less_evidence_never_decides_more() -> None:
    """The same change with a larger spread is undecided, never the opposite."""
    loud = Spread(sigma=0.2, freedom=30, runs=30)
    assert change([100.0], [112.0], spread=loud) is Change.UNDECIDED
    assert change([100.0], [100.0], spread=loud) is Change.UNDECIDED


def test_a_wide_interval_of_the_run_itself_counts() -> None:
    """A run with more noise than the history counts less than other runs."""
    found = compare_measure(
        MEASURES.get("delivery_p99_ms"),
        [Measured(value=10.0)],
        [Measured(value=13.0, low=9.0, high=18.0)],
        point="",
        margin_percent=10.0,
        spread=QUIET,
        interleaved=False,
    )
    assert decide([found])[0].change is Change.UNDECIDED


def test_six_and_six_go_by_ranks() -> None:
    """12 % with a spread of 1 % is worse. The spread of the history is not needed."""
    base = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2]
    found = decide([judged(base, [value * 1.12 for value in base], spread=Spread(sigma=9.0, freedom=9, runs=9))])[0]
    assert found.change is Change.WORSE
    assert found.method is Method.HODGES_LEHMANN
    assert found.percent == pytest.approx(12, abs=0.5)


def test_small_groups_trust_the_history_more_than_themselves() -> None:
    """Three runs of one evening are similar to each other. Only interleaved runs are judged by their own spread."""
    base, run = [100.0, 100.1, 99.9], [112.0, 112.1, 111.9]
    loud = Spread(sigma=0.2, freedom=30, runs=30)
    assert change(base, run, spread=loud) is Change.UNDECIDED
    assert change(base, run, spread=loud, interleaved=True) is Change.WORSE


def test_among_many_measures_a_change_must_be_stronger() -> None:
    """Holm's method: a change that is significant alone is not significant among forty measures."""
    weak = judged([100.0], [107.2])
    assert decide([weak])[0].change is Change.WORSE
    none = judged([100.0], [100.0])
    found = decide([weak, *[none] * 39])
    assert found[0].change is Change.UNDECIDED
    assert "among 40 measures" in found[0].because


def test_an_assumed_spread_is_named() -> None:
    """The reader sees that more runs would help."""
    assumed = Spread(sigma=math.log(1.1), freedom=1000, runs=0)
    assert "assumed" in decide([judged([100.0], [110.0], spread=assumed)])[0].because


def test_no_measure_is_no_decision() -> None:
    """An empty list stays empty."""
    assert decide([]) == ()
