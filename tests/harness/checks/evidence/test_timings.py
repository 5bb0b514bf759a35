import numpy as np
import pytest

from harness.checks.evidence import scratch
from harness.checks.evidence.timings import Timings
from harness.checks.statistics.distribution import Distribution, quantiles_ms


def test_timings_that_moved_to_the_disk_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns beyond their limit; pieces that end elsewhere than what was appended."""
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
    """Three clients of three messages: the first is live for all, the second disturbed for one, the third for all."""
    timings = Timings(4)
    message = np.repeat([0, 1, 3], 3)
    none = np.zeros(9, np.int64)
    disturbed = np.array([False, False, False, True, False, False, True, True, True])
    timings.append(message, none, none, none, disturbed, none[:0])
    found = [part.messages for part in (timings.latency, timings.live, timings.recovered)]
    assert found == [3, 2, 2]
    assert [len(part) for part in (timings.latency, timings.live, timings.recovered)] == [9, 5, 4]
