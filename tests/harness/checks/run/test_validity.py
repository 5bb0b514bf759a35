"""Problems of a measurement, planted in a recording of a few rows. Each is found by its own check with its own bias."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.model.finding import Bias, Finding, Status
from harness.recording import format as layout
from harness.recording.reader import Recording
from tests.harness.recordings import MS, HandMade, finding


@pytest.fixture
def run() -> HandMade:
    """300 messages in three seconds: enough samples, and no finding that is not PASS."""
    made = HandMade()
    for _ in range(300):
        made.post(0)
    return made


def asked(run: HandMade, folder: Path, check: str, spoil: Callable[[Recording], Recording]) -> Finding:
    """The finding of ``check`` over the recording of the run after ``spoil``."""
    spoiled = spoil(run.recording(folder))
    with mock.patch.object(HandMade, "recording", return_value=spoiled):
        return finding(run.verdict(folder), check)


def doubtful(found: Finding, bias: Bias) -> bool:
    return (found.status, found.bias) == (Status.UNKNOWN, bias)


def test_a_sound_measurement_has_no_bias(run: HandMade, tmp_path: Path) -> None:
    """Without a planted problem every validity check passes."""
    validity = [found for found in run.verdict(tmp_path).findings if found.kind == "validity"]
    assert len(validity) >= 12
    assert {(found.status, found.bias) for found in validity} == {(Status.PASS, None)}


def test_a_run_that_ended_early_is_not_complete(run: HandMade, tmp_path: Path) -> None:
    """The last event gives the way in which the run ended."""
    run.ended = "interrupted"
    assert doubtful(finding(run.verdict(tmp_path), "completeness"), Bias.OPTIMISTIC)


def test_a_client_without_its_probe_is_found(run: HandMade, tmp_path: Path) -> None:
    """One client did not receive its probe, or no probe was sent."""
    run.events = [{"event": "probe", "at_ns": 1, "expected": 4, "seen": 3}]
    found = finding(run.verdict(tmp_path), "probe")
    assert doubtful(found, Bias.OPTIMISTIC)
    assert found.measured == 3
    silent = asked(
        run,
        tmp_path,
        "probe",
        lambda r: dataclasses.replace(r, events=tuple(e for e in r.events if e["event"] != "probe")),
    )
    assert doubtful(silent, Bias.OPTIMISTIC)


def test_rows_that_a_worker_did_not_leave_are_missed(run: HandMade, tmp_path: Path) -> None:
    """A worker left no rows, no sessions, or one delivery fewer than it counted."""
    assert doubtful(asked(run, tmp_path, "complete-rows", lambda r: dataclasses.replace(r, seen={})), Bias.OPTIMISTIC)
    unclosed = asked(
        run,
        tmp_path,
        "complete-rows",
        lambda r: dataclasses.replace(
            r, seen={0: dataclasses.replace(r.seen[0], sessions=np.empty(0, layout.SESSION))}
        ),
    )
    assert doubtful(unclosed, Bias.OPTIMISTIC)

    def counted(recording: Recording) -> Recording:
        heartbeat = recording.heartbeats["worker-00"].copy()
        heartbeat["count"][-1] = len(recording.seen[0].deliveries) + 1
        return dataclasses.replace(recording, heartbeats={**recording.heartbeats, "worker-00": heartbeat})

    cut = asked(run, tmp_path, "complete-rows", counted)
    assert doubtful(cut, Bias.OPTIMISTIC), "it counted one delivery more than it left"


def test_too_few_messages_are_found(tmp_path: Path) -> None:
    """298 messages are too few for a P99, even if many clients received each of them. 299 messages are enough."""
    run = HandMade(clients=20, audience=10)
    for _ in range(298):
        run.post(0)
    found = finding(run.verdict(tmp_path), "samples")
    assert doubtful(found, Bias.OPTIMISTIC)
    assert (found.samples, found.pairs) == (298, 2_980)
    run.post(0)
    assert finding(run.verdict(tmp_path), "samples").status is Status.PASS


def test_a_rate_below_the_plan_is_found(run: HandMade, tmp_path: Path) -> None:
    """The posts came at 98 % of the planned rate."""
    run.changes = {"rate_hz": 102.1}
    assert doubtful(finding(run.verdict(tmp_path), "throughput"), Bias.OPTIMISTIC)


def _late(recording: Recording, late_ms: float) -> Recording:
    posts = recording.posts.copy()
    posts["sent_ns"] = posts["intended_ns"] + int(late_ms * MS)
    return dataclasses.replace(recording, posts=posts)


def test_a_late_sender_is_found(run: HandMade, tmp_path: Path) -> None:
    """Posts that are 5 ms late are too late; posts that are 4.9 ms late are not."""
    assert doubtful(asked(run, tmp_path, "send-lateness", lambda r: _late(r, 5)), Bias.PESSIMISTIC)
    assert asked(run, tmp_path, "send-lateness", lambda r: _late(r, 4.9)).status is Status.PASS


def test_a_lagging_worker_is_found(run: HandMade, tmp_path: Path) -> None:
    """Ten heartbeats of one worker within three seconds are 10 ms late."""

    def lag(recording: Recording) -> Recording:
        heartbeat = recording.heartbeats["worker-00"].copy()
        heartbeat["late_ns"][:10] = 10 * MS
        heartbeat["at_ns"][:10] += 10 * MS
        return dataclasses.replace(recording, heartbeats={**recording.heartbeats, "worker-00": heartbeat})

    assert doubtful(asked(run, tmp_path, "loop-lag", lag), Bias.PESSIMISTIC)


def test_a_clock_that_cannot_be_trusted_is_found(run: HandMade, tmp_path: Path) -> None:
    """Messages were received before they were sent, no message was received, or no clocks were recorded."""
    assert doubtful(asked(run, tmp_path, "clock", lambda r: _late(r, 50)), Bias.OPTIMISTIC)
    assert doubtful(asked(run, tmp_path, "clock", lambda r: dataclasses.replace(r, seen={})), Bias.OPTIMISTIC)
    run.clocks_found = False
    assert doubtful(finding(run.verdict(tmp_path), "clock"), Bias.OPTIMISTIC)
