"""The Mann–Whitney test and the Hodges–Lehmann estimate are exact and agree with published values."""

import math
from itertools import combinations

import numpy as np
import pytest

from harness.comparison.rank_test import hodges_lehmann, p_above

BASE = [1.1, 2.2, 3.3, 4.4, 5.5, 6.6]
RUN = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def test_the_p_value_is_that_of_scipy() -> None:
    """scipy.stats.mannwhitneyu(BASE, RUN, alternative="less", method="exact").pvalue"""
    assert p_above(BASE, RUN, 0.0) == pytest.approx(0.032467532467532464)


def test_the_p_value_is_the_share_of_all_arrangements() -> None:
    """For 3 against 4 values the test counts all possible choices of the values of RUN."""
    values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    chosen = (1.0, 4.0, 6.0)
    base = [value for value in values if value not in chosen]
    wins = sum(r > b for r in chosen for b in base)
    every = [sum(r > b for r in run for b in values if b not in run) for run in combinations(values, 3)]
    expected = sum(count >= wins for count in every) / len(every)
    assert p_above(base, chosen, 0.0) == pytest.approx(expected)


def test_complete_separation_of_six_and_six_is_one_in_924() -> None:
    """1/924 is the smallest p-value for 6 against 6. It is small enough for a dozen measures."""
    assert p_above([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 0.0) == pytest.approx(1 / 924)


def test_a_shift_is_taken_off_first() -> None:
    """The test whether RUN is more than 6 above BASE differs from the test whether RUN is above BASE."""
    assert p_above([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 6.0) == pytest.approx(0.5, abs=0.1)


def test_ties_count_half_and_never_decide() -> None:
    """Equal groups are no evidence of a difference."""
    assert p_above([1.0] * 6, [1.0] * 6, 0.0) > 0.4


def test_the_estimate_is_the_median_difference() -> None:
    """Outliers do not change the Hodges–Lehmann estimate."""
    found = hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0, 600.0], [3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert found.value == pytest.approx(2.0)


def test_small_groups_have_no_interval() -> None:
    """3 against 3 cannot reach 95 %."""
    found = hodges_lehmann([1.0, 2.0, 3.0], [7.0, 8.0, 9.0])
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("size", [6, 12, 40])
def test_the_interval_covers(size: int) -> None:
    """Of 400 pairs of groups with a true shift of 1, at least 93 % of the intervals contain this shift. Large groups
    use the normal distribution."""
    randomness = np.random.default_rng(size)
    covered = 0
    for _ in range(400):
        found = hodges_lehmann(list(randomness.normal(0, 1, size)), list(randomness.normal(1, 1, size)))
        covered += found.low <= 1.0 <= found.high
    assert covered >= 372
