"""A missing delivery is lost, or it is undelivered because the harness stopped waiting."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.model.finding import Finding, Status, Verdict
from harness.recording.reader import Recording
from tests.harness.recordings import MS, HandMade, finding, measured


@pytest.fixture
def run() -> HandMade:
    """Client 1 lacks the last of three messages."""
    made = HandMade()
    for _ in range(2):
        made.post(0)
    made.post(0, to=[0])
    return made


def asked(run: HandMade, folder: Path, spoil: Callable[[Recording], Recording]) -> Verdict:
    spoiled = spoil(run.recording(folder))
    with mock.patch.object(HandMade, "recording", return_value=spoiled):
        return run.verdict(folder)


def both(verdict: Verdict) -> tuple[Finding, Finding]:
    return finding(verdict, "lost"), finding(verdict, "lost-tail")


def counts(verdict: Verdict) -> tuple[int, int]:
    """The deliveries that are (lost, undelivered)."""
    found = measured(verdict).delivery.measured
    assert found.expected == found.delivered + found.lost + found.undelivered
    return found.lost, found.undelivered


def test_nothing_more_came_to_an_open_connection(run: HandMade, tmp_path: Path) -> None:
    """Nothing came for 5 s while every client was connected: the delivery is lost."""
    verdict = run.verdict(tmp_path)
    assert [found.status for found in both(verdict)] == [Status.FAIL, Status.FAIL]
    assert counts(verdict) == (1, 0)


def test_a_drain_that_was_cut_off_leaves_deliveries_undelivered(run: HandMade, tmp_path: Path) -> None:
    """Deliveries were still coming at the end: the result is UNKNOWN, never FAIL, with the number and the rate."""
    run.drained = "cut-off"
    verdict = run.verdict(tmp_path)
    lost, tail = both(verdict)
    assert (lost.status, tail.status) == (Status.UNKNOWN, Status.UNKNOWN)
    assert lost.summary == (
        "1 of 6 deliveries were undelivered at the end: the drain was cut off while 1,000 deliveries/s still came "
        "[1 in measured]"
    )
    assert counts(verdict) == (0, 1)


def test_a_hole_is_lost_however_the_drain_ended(run: HandMade, tmp_path: Path) -> None:
    """The client has a later message of its channel, so the earlier one can no longer arrive. The missing last message
    stays undecided."""
    run.deliveries = [row for row in run.deliveries if row[:2] != (1, 0)]
    run.drained = "cut-off"
    verdict = run.verdict(tmp_path)
    lost, tail = both(verdict)
    assert (lost.status, tail.status) == (Status.FAIL, Status.UNKNOWN)
    assert counts(verdict) == (1, 1)
    assert "1 more were undelivered at the end" in lost.summary


def test_a_repetition_stands_in_for_nothing(run: HandMade, tmp_path: Path) -> None:
    """There are as many deliveries as expected, but one came twice. The drain ended as complete, and the missing
    delivery is undecided."""
    run.deliver(1, 1)
    run.drained = "complete"
    verdict = run.verdict(tmp_path)
    assert counts(verdict) == (0, 1)
    assert both(verdict)[0].status is Status.UNKNOWN
    assert "the drain ended less than 5 s after the last delivery" in both(verdict)[0].summary


def test_a_client_without_a_connection_at_the_end(run: HandMade, tmp_path: Path) -> None:
    """The connection of the client ended before the drain, and the client never came back. The delivery that it lacks
    is undelivered."""
    run.sessions = [(0, 0), (1, 1, 1006, 1, 2, 0, 3), (2, 0), (3, 0)]
    verdict = run.verdict(tmp_path)
    assert counts(verdict) == (0, 1)
    assert "1 clients had no connection in all of the last 5 s" in both(verdict)[0].summary


@pytest.mark.parametrize(("before_end_s", "expected"), [(1.0, (0, 1)), (6.0, (1, 0))])
def test_a_client_that_came_back_late_has_not_been_waited_for(
    run: HandMade, tmp_path: Path, before_end_s: float, expected: tuple[int, int]
) -> None:
    """Nothing new came to any client for 5 s. A client that was subscribed for only the last second of them may still
    have received the delivery; for a client that was subscribed all the time the delivery is lost."""
    back_ns = run.drained_ns() - int(before_end_s * 1e9)
    again = (1, 1, 1000, back_ns - MS, back_ns, 2, run.drained_ns() + MS)
    run.sessions = [(0, 0), (1, 1, 1006, 1, 2, 0, back_ns - 2 * MS), again, (2, 0), (3, 0)]
    assert counts(run.verdict(tmp_path)) == expected


@pytest.mark.parametrize("stalled_ms", [900, 1_100])
def test_a_load_worker_that_was_behind(run: HandMade, tmp_path: Path, stalled_ms: int) -> None:
    """The event loop of the load worker stalled for more than 1 s within the last 5 s. The delivery may be among the
    data that the worker had not read."""

    def stall(recording: Recording) -> Recording:
        heartbeat = recording.heartbeats["worker-00"].copy()
        missed = stalled_ms // 20
        heartbeat["late_ns"][-60] = stalled_ms * MS
        heartbeat["at_ns"][-60] += stalled_ms * MS
        kept = np.delete(heartbeat, np.arange(len(heartbeat) - 59, len(heartbeat) - 59 + missed))
        return replace(recording, heartbeats={**recording.heartbeats, "worker-00": kept})

    verdict = asked(run, tmp_path, stall)
    assert counts(verdict) == ((0, 1) if stalled_ms > 1_000 else (1, 0))
    assert ("worker-00" in both(verdict)[0].summary) == (stalled_ms > 1_000)


def test_a_drain_without_an_end_proves_nothing(run: HandMade, tmp_path: Path) -> None:
    """Without an event for the end of the drain it is not known whether a delivery was on its way."""
    run.drained = None
    assert counts(run.verdict(tmp_path)) == (0, 1)


def test_heartbeats_that_are_missing_prove_nothing(run: HandMade, tmp_path: Path) -> None:
    """A load worker without heartbeats in the last seconds may have been stalled."""
    verdict = asked(run, tmp_path, lambda r: replace(r, heartbeats={"worker-00": r.heartbeats["worker-00"][:100]}))
    assert counts(verdict) == (0, 1)
