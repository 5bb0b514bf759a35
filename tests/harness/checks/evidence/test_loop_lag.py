"""The lag of an event loop, from heartbeats written by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.checks.evidence import loop_lag as module
from harness.checks.evidence.loop_lag import loop_lag, waits_ns
from harness.recording.format import HEARTBEAT
from tests.harness.recordings import MS

STEP_MS = 20


def heartbeats(stalls: dict[int, int], end_ms: int) -> NDArray[np.void]:
    """The heartbeats up to ``end_ms`` of a process whose loop stalls; ``stalls`` gives the begin and the length of each
    stall in ms."""
    rows, due_ms = [], STEP_MS
    while due_ms <= end_ms:
        late_ms = max(
            (begin + long - due_ms for begin, long in stalls.items() if begin <= due_ms < begin + long), default=0
        )
        rows.append(((due_ms + late_ms) * MS, late_ms * MS, 0, 0, 0))
        due_ms += (late_ms // STEP_MS + 1) * STEP_MS
    return np.array(rows, HEARTBEAT)


@pytest.fixture(autouse=True, params=[1 << 17, 3])
def _however_much_is_read_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_ROWS", request.param)


def test_a_stall_of_half_a_second_in_every_six_is_the_p99() -> None:
    """One hundredth of all moments is in the first 60 ms of a stall and waits 440 ms or longer."""
    found = loop_lag(heartbeats(dict.fromkeys(range(3000, 60000, 6000), 500), 60_020), 0, 60_000 * MS)
    assert found.p99_ms == pytest.approx(440, abs=STEP_MS)
    assert found.max_ms == 500
    assert found.share > 0.99


def test_a_loop_that_is_never_stalled_has_no_lag() -> None:
    """There is one wait of 0 for every heartbeat."""
    found = loop_lag(heartbeats({}, 10_000), 0, 10_000 * MS)
    assert (found.count, found.p99_ms, found.max_ms) == (499, 0.0, 0.0)


def test_short_stalls_weigh_as_long_as_they_last() -> None:
    """99 stalls of 19 ms in 10 s are a fifth of the time, whether or not a heartbeat was due in each of them."""
    rng = np.random.default_rng(1)
    stalls = {index * 100 + int(rng.integers(0, 80)): 19 for index in range(1, 100)}
    found = loop_lag(heartbeats(stalls, 10_000), 0, 10_000 * MS)
    assert 15 <= (found.p99_ms or 0) <= 19


def test_a_stall_that_begins_in_the_span_and_ends_after_it_counts() -> None:
    """The late heartbeat comes after the span. The waits of the heartbeats that were due in the span are still known,
    and no others."""
    rows = heartbeats({9_000: 5_000}, 20_000)
    waits = [
        (due // MS, wait // MS)
        for dues, found in waits_ns(rows, 8_960 * MS, 9_060 * MS)
        for due, wait in zip(dues, found, strict=True)
    ]
    assert waits == [(8_960, 0), (8_980, 0), (9_000, 5_000), (9_020, 4_980), (9_040, 4_960)]


def test_heartbeats_that_are_missing_are_known_to_be_missing() -> None:
    """A process that was killed half way covers half of the span. Without rows nothing is known."""
    half = loop_lag(heartbeats({}, 5_000), 0, 10_000 * MS)
    assert half.share == pytest.approx(0.5, abs=0.01)
    none = loop_lag(np.empty(0, HEARTBEAT), 0, 10_000 * MS)
    assert (none.count, none.share, none.p99_ms, none.max_ms) == (0, 0.0, None, None)
