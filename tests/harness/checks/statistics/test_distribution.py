"""Percentiles that are exact although nobody holds all the values."""

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
    """Over all, in each group, and in some groups; whatever the pieces."""
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
    """Within 1.6 %."""
    found = Distribution.of(np.array(values, np.int64))
    exact = found.quantiles_ms(QUANTILES)
    assert found.curve_ms(QUANTILES) == pytest.approx(exact, rel=0.016, abs=0.002)


def test_the_interval_holds_the_percentile_and_grows_with_what_seconds_differ() -> None:
    """Seconds alike: a narrow one. One second in ten ten times as slow: a wide one. Fewer than five seconds: none."""
    rng = np.random.default_rng(1)
    seconds = np.repeat(np.arange(20), 1_000)
    calm = (1e7 * rng.lognormal(0, 0.2, len(seconds))).astype(np.int64)
    uneven = np.where(seconds % 10 == 9, calm * 10, calm)
    widths = []
    for values in (calm, uneven):
        distribution = Distribution.of(values, seconds)
        interval = distribution.interval_ms(0.95, seed=1)
        assert interval is not None
        assert interval == distribution.interval_ms(0.95, seed=1)
        low, high = interval
        assert low * 0.98 <= distribution.quantiles_ms((0.95,))[0] <= high * 1.02
        widths.append(high / low)
    assert widths[0] < 1.1
    assert widths[1] > 2
    assert Distribution.of(calm[:4_000], seconds[:4_000]).interval_ms(0.95, seed=1) is None
    later = Distribution.of(calm, seconds + 100)  # empty seconds before the first are no part of it
    assert later.interval_ms(0.95, seed=1) == Distribution.of(calm, seconds).interval_ms(0.95, seed=1)


def test_nothing_has_no_percentiles() -> None:
    """Only a count of zero."""
    nothing = Distribution.of(np.empty(0, np.int64))
    assert nothing.percentiles() == Percentiles(count=0)
    assert nothing.interval_ms(0.99, seed=1) is None
    assert nothing.quantiles_by_group_ms((0.5,)) == [[None]]
    assert Timings().latency.quantiles_by_group_ms((0.5,)) == []
    assert Timings().latency.percentiles() == Percentiles(count=0)
    assert Timings().push.percentiles() == Percentiles(count=0)


def test_timings_that_moved_to_the_disk_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns beyond their limit; pieces that end elsewhere than what was appended."""
    monkeypatch.setattr(scratch, "PIECE_ROWS", 7)
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    rng = np.random.default_rng(2)
    latency = rng.integers(1_000_000, 90_000_000, 1_000)
    second, server = rng.integers(0, 10, 1_000), rng.integers(0, 3, 1_000)
    disturbed = rng.random(1_000) < 0.3
    timings = Timings()
    for start in range(0, 1_000, 90):
        part = slice(start, start + 90)
        timings.append(latency[part], second[part], server[part], disturbed[part], latency[part][:5] // 2)
    assert timings.disturbed_count == disturbed.sum()
    for distribution, values in (
        (timings.latency, latency),
        (timings.live, latency[~disturbed]),
        (timings.recovered, latency[disturbed]),
    ):
        assert distribution.percentiles() == Distribution.of(values).percentiles()
    assert [row[0] for row in timings.by_server.quantiles_by_group_ms((0.99,))] == [
        quantiles_ms(latency[server == one], (0.99,))[0] for one in range(3)
    ]
    assert len(timings.push) == 60


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file may grow beyond 1,000 bytes, and memory is for less."""
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 500)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_no_defect_of_the_harness() -> None:
    """One message with what to do, also from where it would kill the process: a mapped page without a place on disk."""
    column = scratch.Column(np.int64)
    column.append(np.arange(100))
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        column.append(np.arange(100))
    with pytest.raises(EnvironmentFailure, match="TMPDIR"):
        scratch.zeros((10, 1_000), np.int64)
