"""One pass over all deliveries: repetitions, order, wrong seqs and receipts, in recordings of a few rows."""

import tracemalloc
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.checks.evidence import scratch, tally
from harness.checks.evidence.tally import EXAMPLES
from harness.model.finding import Status, Verdict
from tests.harness.recordings import MS, HandMade, finding, measured


@pytest.fixture(autouse=True, params=["at once", "piecemeal"])
def however_much_is_read_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results do not depend on the size of the pieces in which a recording is read."""
    if request.param == "piecemeal":
        monkeypatch.setattr(tally, "PIECE_ROWS", 3)
        monkeypatch.setattr(scratch, "PIECE_ROWS", 2)


@pytest.fixture
def run() -> HandMade:
    made = HandMade()
    for _ in range(3):
        made.post(0)
    return made


def test_completion_is_the_first_receipt_of_the_last_client(run: HandMade, tmp_path: Path) -> None:
    """A repetition 500 ms later does not count: every client had the message after 5 ms."""
    run.deliver(2, 1, latency_ms=500)
    verdict = run.verdict(tmp_path)
    assert measured(verdict).completion.max_ms == 5
    assert measured(verdict).latency.max_ms == 5


def test_a_receipt_before_the_post_is_seen_behind_a_repetition(run: HandMade, tmp_path: Path) -> None:
    """The clock went back for one delivery. All other deliveries of that message came later."""
    message = run.post(0, to=[0])
    run.deliver(message, 1, latency_ms=-2)
    run.deliver(message, 1, latency_ms=5)
    found = finding(run.verdict(tmp_path), "clock")
    assert found.status is Status.UNKNOWN
    assert found.measured["backwards"] == 1  # type: ignore[index, call-overload]  # this figure is a table


@pytest.mark.parametrize(
    ("seqs", "wire", "visible"),
    [
        ((3,), 0, 0),
        ((3, 3, 3), 2, 0),
        ((3, 7), 0, 1),
        ((7, 3), 0, 1),
        ((7, 7), 1, 0),
        ((7, 8), 0, 1),
        ((3, 7, 3, 7, 8), 2, 2),
    ],
)
def test_a_repetition_is_told_by_message_and_seq(
    tmp_path: Path, seqs: tuple[int, ...], wire: int, visible: int
) -> None:
    """A repetition under a seq that the client already has is a duplicate on the wire. A repetition under a new seq is
    visible to the user."""
    run = HandMade()
    for _ in range(2):
        run.post(0)
    message = run.post(0, to=[0])
    for seq in seqs:
        run.deliver(message, 1, seq=seq)
    found = measured(run.verdict(tmp_path)).delivery.measured
    assert (found.duplicates_wire, found.duplicates_visible, found.delivered) == (wire, visible, 6)


def test_every_delivery_behind_the_highest_is_out_of_order(tmp_path: Path) -> None:
    """n + 3, n, n + 1, n + 2 at one client: three deliveries are out of order, as docs/results.md defines it."""
    run = HandMade()
    messages = [run.post(0, to=[0]) for _ in range(4)]
    for message in (messages[3], *messages[:3]):
        run.deliver(message, 1)
    found = finding(run.verdict(tmp_path), "order")
    assert found.measured == 3
    assert found.examples[-1] == "client 1: seq 3 after seq 4"


def test_a_delivery_out_of_order_is_named_behind_repetitions(tmp_path: Path) -> None:
    """The example names the late delivery and not one of the repetitions before it."""
    run = HandMade()
    early, late = run.post(0, to=[0]), run.post(0, to=[0])
    for message in (late, late, late, early):
        run.deliver(message, 1)
    found = finding(run.verdict(tmp_path), "order")
    assert found.examples == ("client 1: seq 1 after seq 2",)


def _peak_bytes(run: HandMade, folder: Path) -> tuple[int, Verdict]:
    """The peak memory of judging, without the recording, and the verdict."""
    recording = run.recording(folder)
    with mock.patch.object(HandMade, "recording", return_value=recording):
        tracemalloc.start()
        verdict = run.verdict(folder)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak, verdict


def test_the_memory_for_wrong_numbers_does_not_grow_with_deliveries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten messages arrive under a wrong seq at 200 clients, twice or 20 times. One byte for each pair and a few
    examples are kept."""
    monkeypatch.setattr(tally, "PIECE_ROWS", 500)
    peaks = []
    for times in (2, 20):
        run = HandMade(clients=200, audience=200, traced=False)
        for _ in range(10):
            message = run.post(0, to=[])
            run.frames.append((message, 0, 500 + message, 0))
            run.deliveries += [(client, message, run.due_ns(message) + MS) for client in range(200)] * times
        peak, verdict = _peak_bytes(run, tmp_path)
        peaks.append(peak)
        assert measured(verdict).delivery.measured.duplicates_wire == (times - 1) * 2_000
        assert len(finding(verdict, "duplicate-wire").examples) == EXAMPLES
        assert (
            "10 × message under another seq than its own (0 answers, 2,000 deliveries)"
            in finding(verdict, "seq-gapless").summary
        )
    assert peaks[1] - peaks[0] < 10 * 36_000, "bytes for 36,000 more deliveries"


def test_a_message_of_unknown_seq_is_counted_once(tmp_path: Path) -> None:
    """A message was neither acknowledged nor stored, so its seq is not known. The first delivery to each client is no
    repetition."""
    run = HandMade(audited=False)
    run.post(0)
    run.post(0, outcome=3, stored=False)
    run.deliver(1, 0)
    found = measured(run.verdict(tmp_path)).delivery.measured
    assert (found.duplicates_wire, found.duplicates_visible) == (1, 0)
    assert np.isfinite(found.expected)
