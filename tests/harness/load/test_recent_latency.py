"""Percentiles for the live view: of the last five seconds, and since the start."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.recent_latency import RecentLatency


def test_what_is_older_than_five_seconds_is_not_recent() -> None:
    """The recent percentiles drop an old sample. The percentiles since the start keep it."""
    latency = RecentLatency()
    latency.add(0.0, [1000.0] * 10)
    latency.add(4.0, [10.0] * 10)
    assert latency.recent(4.5) == pytest.approx((505.0, 1000.0, 1000.0))
    assert latency.recent(5.5) == pytest.approx((10.0, 10.0, 10.0))
    assert latency.recent(20.0) is None
    p50, p99 = latency.whole()
    assert p99 == pytest.approx(1000.0, rel=0.02)
    assert p50 == pytest.approx(10.0, rel=0.02)


def test_without_samples_nothing_is_known() -> None:
    """The result is None, not a number."""
    latency = RecentLatency()
    latency.add(1.0, [])
    assert latency.recent(1.0) is None
    assert latency.whole() == (None, None)


@given(st.lists(st.floats(0.02, 1e6), min_size=1, max_size=200))
def test_the_percentiles_since_the_start_are_off_by_two_percent_at_most(values: list[float]) -> None:
    """The percentiles use the nearest rank, in bins of 2 %."""
    latency = RecentLatency()
    latency.add(0.0, values)
    for share, found in zip((0.5, 0.99), latency.whole(), strict=True):
        exact = float(np.percentile(values, 100 * share, method="inverted_cdf"))
        assert found is not None
        assert exact * 0.999 - 0.01 <= found <= exact * 1.021 + 0.01
