"""How long deliveries took, by second of the measured window or by longer slices."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence import scratch
from harness.checks.evidence.evidence import SECONDS_AT_MOST, slice_s
from harness.checks.evidence.timings import Timings
from harness.checks.statistics.distribution import Distribution, quantiles_ms
from harness.planning.objections import MAX_DURATION_S
from tests.harness.plans import a_plan
from tests.harness.recordings import MS, START_NS, HandMade, measured


def test_live_and_recovered_are_the_two_parts_of_all() -> None:
    """Both parts are grouped by second. Pushes have their own distribution."""
    timings = Timings(4)
    latency = np.array([1, 2, 3, 4], np.int64) * MS
    second = np.array([0, 0, 1, 2], np.int64)
    disturbed = np.array([False, True, False, True])
    timings.append(np.arange(4), latency, second, np.array([0, 1, 0, 1]), disturbed, latency[:2] // 2)
    timings.append(second[:0], latency[:0], second[:0], second[:0], disturbed[:0], latency[:0])
    assert (len(timings.latency), len(timings.live), len(timings.recovered), timings.disturbed_count) == (4, 2, 2, 2)
    assert timings.live.quantiles_ms((1.0,)) == [3.0]
    assert timings.recovered.quantiles_by_group_ms((0.5,)) == [[2.0], [None], [4.0]]
    assert timings.by_server.quantiles_by_group_ms((1.0,)) == [[3.0], [4.0]]
    assert timings.push.quantiles_ms((1.0,)) == [1.0]
    by_second = timings.by_slice_and_server(1, 2).quantiles_by_group_ms((1.0,))
    assert by_second == [[1.0], [2.0], [3.0], [None], [None], [4.0]]
    assert timings.by_slice_and_server(2, 2).quantiles_by_group_ms((1.0,)) == [[3.0], [2.0], [None], [4.0]]


@pytest.mark.parametrize(("duration_s", "width_s"), [(1.0, 1), (1_200.0, 1), (1_201.0, 2), (MAX_DURATION_S, 72)])
def test_tables_of_the_longest_run_are_small(duration_s: float, width_s: int) -> None:
    """No run has more than 1,200 slices."""
    assert slice_s(a_plan(duration_s=duration_s)) == width_s
    assert duration_s / width_s <= SECONDS_AT_MOST


def test_the_table_of_the_longest_run_fits_in_memory() -> None:
    """One delivery in the first slice and one in the last: 8 MB, where a table of 86,400 seconds took 575 MB."""
    timings = Timings(2)
    ends = np.array([0, SECONDS_AT_MOST - 1])
    timings.append(np.arange(2), ends + MS, ends, ends * 0, np.array([False, False]), ends[:0])
    tracemalloc.start()
    try:
        timings.latency.quantiles_ms((0.99,))
        assert tracemalloc.get_traced_memory()[1] < 32e6
    finally:
        tracemalloc.stop()


class Sparse(HandMade):
    """One message every 1,000 s."""

    def due_ns(self, message: int) -> int:
        return START_NS + message * 1_000_000 * MS


def test_a_long_run_is_told_in_slices(tmp_path: Path) -> None:
    """6,000 s are 1,200 slices of 5 s. The axis of the curve is still in seconds."""
    run = Sparse(changes={"duration_s": 6_000.0})
    for number in range(6):
        run.post(0, latency_ms=10 + number)
    verdict = run.verdict(tmp_path)
    curve = verdict.series["latency"]
    seen = [(x, value) for x, value in zip(curve.x, curve.lines["P50"], strict=True) if value is not None]
    assert seen == [(1_000.0 * number, 10.0 + number) for number in range(6)]
    assert len(curve.x) == 1_001
    assert measured(verdict).latency.count == 12


def test_timings_that_moved_to_the_disk_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The columns are larger than their limit, and the pieces that are read are not those that were appended."""
    monkeypatch.setattr(scratch, "PIECE_ROWS", 7)
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    rng = np.random.default_rng(2)
    latency = rng.integers(1_000_000, 90_000_000, 1_000)
    second, server = rng.integers(0, 10, 1_000), rng.integers(0, 3, 1_000)
    disturbed = rng.random(1_000) < 0.3
    timings = Timings(100)
    message = np.arange(1_000) // 10
    for start in range(0, 1_000, 90):
        part = slice(start, start + 90)
        timings.append(
            message[part], latency[part], second[part], server[part], disturbed[part], latency[part][:5] // 2
        )
    assert timings.disturbed_count == disturbed.sum()
    for distribution, values in (
        (timings.latency, latency),
        (timings.live, latency[~disturbed]),
        (timings.recovered, latency[disturbed]),
    ):
        assert distribution.quantiles_ms((0.5, 0.99, 1.0)) == Distribution.of(values).quantiles_ms((0.5, 0.99, 1.0))
    assert [row[0] for row in timings.by_server.quantiles_by_group_ms((0.99,))] == [
        quantiles_ms(latency[server == one], (0.99,))[0] for one in range(3)
    ]
    assert len(timings.push) == 60


def test_messages_are_counted_once_and_apart() -> None:
    """Three messages to three clients: the first is live for all, the second is disturbed for one, the third for
    all."""
    timings = Timings(4)
    message = np.repeat([0, 1, 3], 3)
    none = np.zeros(9, np.int64)
    disturbed = np.array([False, False, False, True, False, False, True, True, True])
    timings.append(message, none, none, none, disturbed, none[:0])
    found = [part.messages for part in (timings.latency, timings.live, timings.recovered)]
    assert found == [3, 2, 2]
    assert [len(part) for part in (timings.latency, timings.live, timings.recovered)] == [9, 5, 4]
