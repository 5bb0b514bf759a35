"""Percentiles are exact although the values are not all held in memory."""

import resource
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.evidence import scratch
from harness.checks.evidence.timings import Timings
from harness.checks.statistics.distribution import Distribution, quantiles_ms, to_ms
from harness.model.errors import EnvironmentFailure
from harness.model.measurements.percentiles import Percentiles

QUANTILES = (0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0)
nanoseconds = st.one_of(st.integers(-10, 1 << 17), st.integers(0, 1 << 30), st.integers(0, 1 << 50))


def nearest_rank_ms(values: list[int], quantile: float) -> float:
    return to_ms(sorted(values)[max(0, int(np.ceil(quantile * len(values))) - 1)])


@given(st.lists(st.tuples(nanoseconds, st.integers(0, 4)), min_size=1, max_size=200), st.integers(1, 50))
def test_quantiles_are_those_of_the_sorted_values(rows: list[tuple[int, int]], piece: int) -> None:
    """The quantiles are those over all values, in each group, and in some groups. The size of the pieces does not
    matter."""
    values, groups = (np.array(column, np.int64) for column in zip(*rows, strict=True))

    def pieces() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(values), piece):
            yield values[start : start + piece], groups[start : start + piece]

    found = Distribution.count(pieces, 5)
    assert len(found) == len(rows)
    expected = [nearest_rank_ms(values.tolist(), quantile) for quantile in QUANTILES]
    assert found.quantiles_ms(QUANTILES) == expected == quantiles_ms(values, QUANTILES)
    for group, row in enumerate(found.quantiles_by_group_ms(QUANTILES)):
        mine = values[groups == group].tolist()
        assert row == [nearest_rank_ms(mine, quantile) if mine else None for quantile in QUANTILES]
    some = np.array([True, False, True, False, True])
    if (mine := values[some[groups]].tolist()) != []:
        part = found.within(some)
        assert len(part) == len(mine)
        assert part.quantiles_ms(QUANTILES) == [nearest_rank_ms(mine, quantile) for quantile in QUANTILES]


@given(st.lists(st.integers(100_000, 1 << 41), min_size=1, max_size=100))
def test_a_curve_is_as_exact_as_a_plot_shows(values: list[int]) -> None:
    """The error is at most 1.6 %."""
    found = Distribution.of(np.array(values, np.int64))
    exact = found.quantiles_ms(QUANTILES)
    assert found.curve_ms(QUANTILES) == pytest.approx(exact, rel=0.016, abs=0.002)


@given(st.lists(st.tuples(nanoseconds, st.integers(0, 30)), min_size=1, max_size=400), st.integers(1, 400))
def test_an_interval_contains_its_value(rows: list[tuple[int, int]], messages: int) -> None:
    """This holds for all values, for all divisions into seconds, and for every statistic."""
    values, groups = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    found = Distribution.count(lambda: [(values, groups)], 31, messages)
    for quantile in (0.5, 0.95, 0.99, 0.999):
        interval = found.interval_ms(quantile)
        if interval is not None:
            value = found.quantiles_ms((quantile,))[0]
            assert interval.low_ms <= value <= (value if interval.high_ms is None else interval.high_ms)


def test_an_interval_of_values_that_are_alike_contains_them() -> None:
    """In this case the value 151.466 once had an interval from 152.044 to 152.044."""
    values = np.full(10_000, 151_466_000)
    interval = Distribution.of(values, np.arange(10_000) // 100).interval_ms(0.99)
    assert interval is not None
    assert interval.low_ms <= 151.466
    assert interval.high_ms == 151.466


def test_an_interval_grows_with_what_seconds_differ() -> None:
    """If all seconds are alike, the interval is narrow. If one second in ten is ten times as slow, it is wide. Fewer
    than six seconds have no interval."""
    rng = np.random.default_rng(1)
    seconds = np.repeat(np.arange(40), 1_000)
    calm = (1e7 * rng.lognormal(0, 0.2, len(seconds))).astype(np.int64)
    uneven = np.where(seconds % 10 == 9, calm * 10, calm)
    alike, differing = (Distribution.of(values, seconds).interval_ms(0.95) for values in (calm, uneven))
    assert alike is not None
    assert alike.high_ms is not None
    assert alike.high_ms / alike.low_ms < 1.1
    assert differing is not None
    assert differing.high_ms is not None
    assert differing.high_ms / differing.low_ms > 2
    assert Distribution.of(calm[:5_000], seconds[:5_000]).interval_ms(0.95) is None
    later = Distribution.of(calm, seconds + 100)  # empty seconds before the first do not count
    assert later.interval_ms(0.95) == alike


def test_deliveries_of_one_message_are_no_further_evidence() -> None:
    """The interval for 30 messages a second to one client equals that for the same messages to a hundred clients at the
    same times."""
    values = (1e7 * np.random.default_rng(1).lognormal(0, 0.3, 1_800)).astype(np.int64)
    seconds = np.repeat(np.arange(60), 30)
    many, their_seconds = np.repeat(values, 100), np.repeat(seconds, 100)
    once = Distribution.of(values, seconds).interval_ms(0.99)
    assert Distribution.count(lambda: [(many, their_seconds)], 60, len(values)).interval_ms(0.99) == once
    assert Distribution.count(lambda: [(many, their_seconds)], 60).interval_ms(0.99) is None


def test_nothing_has_no_percentiles() -> None:
    """The result has only a count of zero."""
    nothing = Distribution.of(np.empty(0, np.int64))
    assert nothing.percentiles() == Percentiles(count=0)
    assert nothing.interval_ms(0.99) is None
    assert nothing.quantiles_by_group_ms((0.5,)) == [[None]]
    assert Timings().latency.quantiles_by_group_ms((0.5,)) == []
    assert Timings().latency.percentiles() == Percentiles(count=0)
    assert Timings().push.percentiles() == Percentiles(count=0)


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file may grow beyond 1,000 bytes, and memory is used for at most 500 bytes."""
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_no_defect_of_the_harness() -> None:
    """The message says what to do. This also holds for a mapped page without space on the disk, whose first access
    would end the process."""
    column = scratch.Column(np.int64)
    column.append(np.arange(100))
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        column.append(np.arange(100))
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        scratch.zeros((10, 1_000), np.int64)
