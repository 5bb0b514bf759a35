"""Each error of a delivery, planted in a recording of a few rows, turns its own check red and no other."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from harness.model.finding import Status, Verdict
from harness.model.measurements.delivery import DeliveryCounts
from harness.planning.arrivals import WARM_UP
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, measured, red

pytestmark = pytest.mark.usefixtures("however_much_is_read_at_once")


def counted(verdict: Verdict) -> DeliveryCounts:
    """The counts of the measured window."""
    return measured(verdict).delivery.measured


def test_a_sound_recording_has_no_red_check(run: HandMade, tmp_path: Path) -> None:
    """Without a planted bug every safety check passes, with samples."""
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    safety = [found for found in verdict.findings if found.kind == "safety"]
    assert {found.status for found in safety} == {Status.PASS}
    assert all(found.samples for found in safety)
    assert counted(verdict) == DeliveryCounts(posted=3, acknowledged=3, expected=6, delivered=6)


def test_a_pass_counts_messages_and_not_their_deliveries(tmp_path: Path) -> None:
    """Three messages to 100 clients are three observations: the rate of loss is below 3/3, and a P99 needs more of them."""
    run = HandMade(clients=100, audience=100)
    for _ in range(3):
        run.post(0)
    verdict = run.verdict(tmp_path)
    lost, samples = finding(verdict, "lost"), finding(verdict, "samples")
    assert (lost.status, lost.samples, lost.pairs) == (Status.PASS, 3, 300)
    assert lost.confidence == "rate < 1.0e+00 at 95 %, of 3 messages (300 deliveries)"
    assert (samples.status, samples.samples) == (Status.UNKNOWN, 3)


def test_one_lost_delivery_is_red(run: HandMade, tmp_path: Path) -> None:
    """A message that did not reach a client although later messages did is lost."""
    run.post(0, to=[0])
    run.post(0)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"lost"}
    assert finding(verdict, "lost").measured == 1
    assert "client 1: message 3" in finding(verdict, "lost").examples[0]
    assert counted(verdict).lost == 1


def test_a_lost_tail_is_red_twice(run: HandMade, tmp_path: Path) -> None:
    """A missing last message leaves no gap at the client. It is still found, and reported as a tail."""
    run.post(0, to=[0])
    assert red(run.verdict(tmp_path)) == {"lost", "lost-tail"}


def test_a_delivery_repeated_on_the_wire_is_red(run: HandMade, tmp_path: Path) -> None:
    """A client receives the same (channel, seq) twice."""
    run.deliver(2, 3)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"duplicate-wire"}
    assert counted(verdict).duplicates_wire == 1
    assert counted(verdict).delivered == 6


def test_a_message_under_two_seqs_is_a_visible_duplicate(run: HandMade, tmp_path: Path) -> None:
    """A client cannot remove this duplicate by its (channel, seq), so the check is red. It is not counted on the wire
    as well."""
    run.deliver(2, 3, seq=2)
    verdict = run.verdict(tmp_path)
    assert "duplicate-visible" in red(verdict)
    assert "duplicate-wire" not in red(verdict)
    assert counted(verdict).duplicates_visible == 1


def test_two_swapped_deliveries_are_red(tmp_path: Path) -> None:
    """A client receives a seq below one that it already has."""
    run = HandMade()
    first, second = run.post(0, to=[0]), run.post(0, to=[0])
    run.deliver(second, 1)
    run.deliver(first, 1)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"order"}
    assert "client 1: seq 1 after seq 2" in finding(verdict, "order").examples[0]


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ({"message": -1, "client": 0, "flaw": layout.FOREIGN}, "not of this run"),
        ({"message": 0, "client": 3}, "not subscribed"),
        ({"message": 0, "client": 0, "channel": 1}, "another channel"),
    ],
)
def test_phantoms_are_red(run: HandMade, tmp_path: Path, planted: dict[str, int], kind: str) -> None:
    """The message was never posted, or not to this client, or not in this channel."""
    run.deliver(**planted)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"phantom"}
    assert kind in finding(verdict, "phantom").summary


def test_an_altered_text_is_a_phantom_and_leaves_the_message_lost(tmp_path: Path) -> None:
    """The altered delivery does not count as a delivery of the message."""
    run = HandMade()
    message = run.post(0, to=[0])
    run.deliver(message, 1, flaw=layout.ALTERED)
    assert red(run.verdict(tmp_path)) == {"phantom", "lost", "lost-tail"}


def test_an_indeterminate_message_is_for_all_or_for_none(run: HandMade, tmp_path: Path) -> None:
    """A message that was stored, or received by one client, must reach every client. A message that was neither stored
    nor received is expected at no client."""
    run.post(1, outcome=layout.INDETERMINATE, to=[2])
    assert "lost" in red(run.verdict(tmp_path))
    run = HandMade()
    run.post(0)
    run.post(0, outcome=layout.INDETERMINATE, stored=False, to=[])
    assert red(run.verdict(tmp_path)) == {"ledger"}


def test_a_loss_in_the_warm_up_is_red_too(run: HandMade, tmp_path: Path) -> None:
    """Messages of the warm-up are not timed, but they can be lost."""
    run.post(0, to=[0], phase=WARM_UP)
    run.post(0)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"lost"}
    assert "1 in warm-up" in finding(verdict, "lost").summary
    assert counted(verdict).lost == 0
    assert measured(verdict).delivery.warm_up.lost == 1


def test_a_late_subscriber_has_no_claim_to_what_came_before(run: HandMade, tmp_path: Path) -> None:
    """A message before a client's subscription is not expected at that client."""
    run.deliveries = [row for row in run.deliveries if row[0] != 1]
    run.deliver(1, 1)
    run.sessions = [(0, 0), (1, 1), (2, 0), (3, 0)]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert counted(verdict).expected == 5


def test_a_repetition_makes_nothing_else_a_duplicate(run: HandMade, tmp_path: Path) -> None:
    """A delivery came twice, and another came once under a wrong seq. The second is still one delivery."""
    run.post(0, to=[0])
    run.deliver(3, 1, seq=9)
    run.deliver(2, 3)
    found = counted(run.verdict(tmp_path))
    assert (found.duplicates_visible, found.duplicates_wire) == (0, 1)


def test_deliveries_without_their_frame_are_found(run: HandMade, tmp_path: Path) -> None:
    """A worker was killed before its last frame was on the disk. The two deliveries of that frame prove nothing, and
    they are reported."""
    whole = run.recording(tmp_path)
    cut = replace(whole, seen={0: replace(whole.seen[0], frames=whole.seen[0].frames[:-1])})
    with mock.patch.object(HandMade, "recording", return_value=cut):
        verdict = run.verdict(tmp_path)
    assert finding(verdict, "complete-rows").status is Status.UNKNOWN
    assert finding(verdict, "complete-rows").measured == {"missing_workers": 0, "without_sessions": 0, "orphans": 2}
    assert finding(verdict, "lost").status is Status.UNKNOWN, "they may be the ones that are missing"
