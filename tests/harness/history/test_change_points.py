"""Change points are found where the level changes, and hardly ever elsewhere."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history.change_points import SEGMENT_AT_LEAST, best_split, change_points, welch_p


def noise(seed: int, nights: int, spread: float = 0.03) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.random.default_rng(seed).normal(0.0, spread, nights)


def test_a_step_is_found_where_it_is() -> None:
    """After 20 nights the level rises by 15 %, with a spread of 3 %. Eight nights later the night, the levels and the
    percentage are found."""
    logs = noise(1, 28)
    logs[20:] += math.log(1.15)
    (found,) = change_points(list(50 * np.exp(logs)))
    assert found.at == 20
    assert found.percent == pytest.approx(15, abs=3)
    assert found.before == pytest.approx(50, rel=0.03)
    assert found.p_value < 0.001


def test_an_excursion_has_two_ends() -> None:
    """Twelve nights that are worse by 30 %, among 40, are a change for the worse and a change back. The first split is
    least able to find them, because both sides then contain good nights."""
    found = 0
    for seed in range(40):
        logs = noise(seed, 40)
        logs[14:26] += math.log(1.3)
        found += [change.at for change in change_points(list(np.exp(logs)))] == [14, 26]
    assert found >= 36


def test_honest_nights_are_quiet() -> None:
    """At most 1 in 50 series of 30 nights without a change has a change point."""
    alarms = sum(bool(change_points(list(np.exp(noise(seed, 30))))) for seed in range(300))
    assert alarms <= 6


def test_one_wild_night_is_no_level() -> None:
    """A single outlier is not a change, even a large one."""
    logs = noise(3, 30)
    logs[15] += 2.0
    assert change_points(list(np.exp(logs))) == ()


def test_a_tiny_shift_is_not_worth_a_look() -> None:
    """A shift of 1 % is never reported, even for a measure with little noise."""
    logs = noise(4, 60, spread=0.0005)
    logs[30:] += math.log(1.01)
    assert change_points(list(np.exp(logs))) == ()


def test_too_few_nights_say_nothing() -> None:
    """Fewer than two segments cannot be split."""
    assert change_points([1.0] * (SEGMENT_AT_LEAST - 1) + [9.0] * SEGMENT_AT_LEAST) == ()
    assert change_points([]) == ()


def test_equal_values_have_no_change() -> None:
    """Without spread there is no division by zero."""
    assert change_points([5.0] * 40) == ()


def test_a_step_without_any_spread_is_found() -> None:
    """Values such as a capacity repeat exactly."""
    assert [change.at for change in change_points([500.0] * 10 + [400.0] * 10)] == [10]


@given(st.lists(st.floats(0.1, 100), min_size=8, max_size=30))
@settings(max_examples=50, deadline=None)
def test_cuts_leave_segments_long_enough_and_repeat(values: list[float]) -> None:
    """Every segment has the minimum length, and the same values give the same result."""
    found = change_points(values)
    edges = [0, *(change.at for change in found), len(values)]
    assert all(b - a >= SEGMENT_AT_LEAST for a, b in pairwise(edges))
    assert found == change_points(values)


def test_the_fast_split_is_the_textbook_s() -> None:
    """The sums over the matrix equal the definition for every split."""
    values = noise(5, 14)
    distances = np.abs(values[:, None] - values[None, :])

    def textbook(cut: int) -> float:
        left, right = range(cut), range(cut, len(values))

        def mean(a: range, b: range) -> float:
            return float(np.mean([[distances[i, j] for j in b] for i in a]))

        energy = 2 * mean(left, right) - mean(left, left) - mean(right, right)
        return energy * len(left) * len(right) / len(values)

    cuts = range(SEGMENT_AT_LEAST, len(values) - SEGMENT_AT_LEAST + 1)
    at, strength = best_split(distances)
    assert at == max(cuts, key=textbook)
    assert strength == pytest.approx(textbook(at))


def test_welch_agrees_with_scipy() -> None:
    """Welch's test on two samples: scipy.stats.ttest_ind(a, b, equal_var=False) gives 0.0101."""
    a = np.array([27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4])
    b = np.array([27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 23.0])
    assert welch_p(a, b) == pytest.approx(0.01008, abs=2e-4)
