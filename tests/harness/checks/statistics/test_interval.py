"""The interval of a percentile contains the true percentile as often as it promises. docs/decisions/0011 has a table of
more cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.statistics.interval import (
    design_effect,
    effective_messages,
    mean_interval,
    messages_for_upper_bound,
    quantiles_around,
)
from tests.harness.checks.statistics.coverage import Made, coverage


@pytest.mark.parametrize(
    ("seconds", "correlation", "level"),
    [(60, 0.0, 0.0), (60, 0.0, 0.3), (60, 0.7, 0.1), (60, 0.7, 0.3), (6, 0.0, 0.3), (20, 0.7, 0.3)],
)
def test_the_interval_covers_the_true_p99(seconds: int, correlation: float, level: float) -> None:
    """The coverage is 90 % or more for equal seconds, for seconds that differ, and for neighbouring seconds that are
    correlated."""
    found = coverage(Made(seconds, correlation, level), 200)
    assert found.found == 1
    assert found.covered >= 0.9


def test_the_interval_is_not_wide_for_nothing() -> None:
    """A minute of 6,000 independent messages: both ends are between 0.88 and 1.15 times the true value, and there is
    always an upper end."""
    made = Made(60, 0.0, 0.0)
    rng = np.random.default_rng(3)
    for _ in range(20):
        interval = made.latencies(rng).interval_ms(0.99)
        assert interval is not None
        assert interval.high_ms is not None
        assert 0.88 * made.true_p99_ms < interval.low_ms < interval.high_ms < 1.15 * made.true_p99_ms


@pytest.mark.parametrize("seconds", [1, 3, 5])
def test_too_few_seconds_have_no_interval(seconds: int) -> None:
    """The spread of fewer than six seconds is not known."""
    assert coverage(Made(seconds, 0.0, 0.1), 5).found == 0


def test_ranks_are_those_of_the_binomial_distribution() -> None:
    """The largest of 368 values is an upper end at 97.5 %, the largest of 367 is not. For the median of 100 values,
    tables give ranks 40 and 61; interpolation stays between these and the next ranks."""
    assert 0.99**368 <= 0.025 < 0.99**367
    above = quantiles_around(0.99, 368)
    below = quantiles_around(0.99, 367)
    assert above is not None
    assert below is not None
    assert above[1] == pytest.approx(1, abs=1e-4)
    assert below[1] is None
    median = quantiles_around(0.5, 100)
    assert median is not None
    assert median[1] is not None
    assert 0.39 <= median[0] <= 0.42
    assert 0.58 <= median[1] <= 0.61


@given(st.sampled_from([0.5, 0.95, 0.99, 0.999]), st.integers(0, 100_000))
def test_the_quantile_lies_between_those_around_it(quantile: float, messages: int) -> None:
    """This holds for any number of messages, up to millions."""
    found = quantiles_around(quantile, messages * 50)
    if found is not None:
        low, high = found
        assert low > 0
        assert high is None or low < high <= 1
        assert high is None or low < quantile < high


def test_the_least_number_of_messages_is_that_of_the_largest_value() -> None:
    """The numbers are 299 for a P99, 59 for a P95, 2,995 for a P99.9 and 5 for the median."""
    assert [messages_for_upper_bound(quantile) for quantile in (0.99, 0.95, 0.999, 0.5)] == [299, 59, 2995, 5]


def test_equal_blocks_have_no_design_effect_and_one_bad_block_has_a_large_one() -> None:
    """Ten slow messages of a thousand are in each block, or all slow messages are in one block."""
    every = np.full(20, 1_000)
    assert design_effect(np.full(20, 10), every, 20_000) == 1
    assert design_effect(np.zeros(20, np.int64), every, 20_000) == 1
    assert design_effect(every, every, 20_000) == 1
    slow = np.zeros(20, np.int64)
    slow[7] = 200
    assert design_effect(slow, every, 20_000) == pytest.approx(200, rel=0.1)


def test_fewer_blocks_tell_less() -> None:
    """The same design effect, known from 7 and from 20 blocks. The effective number of messages is never above the real
    number."""
    assert effective_messages(10_000, 2.0, 7) < effective_messages(10_000, 2.0, 20) < 5_000
    assert effective_messages(100, 1.0, 20) <= 100


def test_the_interval_of_a_mean_covers_it() -> None:
    """A minute of independent or correlated seconds: the coverage is 90 % or more. Fewer than 20 seconds have no
    interval."""
    rng = np.random.default_rng(1)
    for correlation in (0.0, 0.7):
        hits = 0
        for _ in range(400):
            steps = rng.normal(size=80)
            level = np.empty(80)
            level[0] = steps[0]
            for index in range(1, 80):
                level[index] = correlation * level[index - 1] + math.sqrt(1 - correlation**2) * steps[index]
            interval = mean_interval(5 + level[20:])
            assert interval is not None
            hits += interval[0] <= 5 <= interval[1]
        assert hits / 400 >= 0.9
    assert mean_interval(np.ones(19)) is None
