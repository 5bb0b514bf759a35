"""Every class of error, planted in a recording of a few rows, turns its own check red and no other."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from harness.checks.evidence import account, scratch, tally
from harness.model.finding import Status, Verdict
from harness.model.measurements.delivery import DeliveryCounts
from harness.planning.arrivals import WARM_UP
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, measured, red


@pytest.fixture(autouse=True, params=["at once", "piecemeal"])
def however_much_is_read_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found does not depend on where the pieces end that a recording is read in."""
    if request.param == "piecemeal":
        monkeypatch.setattr(tally, "PIECE_ROWS", 3)
        monkeypatch.setattr(account, "BLOCK_PAIRS", 2)
        monkeypatch.setattr(scratch, "PIECE_ROWS", 2)
        monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 20)


@pytest.fixture
def run() -> HandMade:
    """Two sound messages in channel 0 (clients 0 and 1) and one in channel 1 (clients 2 and 3)."""
    made = HandMade()
    for channel in (0, 0, 1):
        made.post(channel)
    return made


def counted(verdict: Verdict) -> DeliveryCounts:
    """The counts of the measured window."""
    return measured(verdict).delivery.measured


def test_a_sound_recording_has_no_red_check(run: HandMade, tmp_path: Path) -> None:
    """Without a planted bug every safety check passes, on evidence."""
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    safety = [found for found in verdict.findings if found.kind == "safety"]
    assert {found.status for found in safety} == {Status.PASS}
    assert all(found.samples for found in safety)
    assert counted(verdict) == DeliveryCounts(posted=3, acknowledged=3, expected=6, delivered=6)


def test_one_lost_delivery_is_red(run: HandMade, tmp_path: Path) -> None:
    """A message that one client lacks, though later ones reached it, is lost."""
    run.post(0, to=[0])
    run.post(0)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"lost"}
    assert finding(verdict, "lost").measured == 1
    assert "client 1: message 3" in finding(verdict, "lost").examples[0]
    assert counted(verdict).lost == 1


def test_a_lost_tail_is_red_twice(run: HandMade, tmp_path: Path) -> None:
    """A client's last message missing leaves no hole to see: it is found all the same, and named a tail."""
    run.post(0, to=[0])
    assert red(run.verdict(tmp_path)) == {"lost", "lost-tail"}


def test_a_delivery_repeated_on_the_wire_is_red(run: HandMade, tmp_path: Path) -> None:
    """The same (channel, seq) twice at one client."""
    run.deliver(2, 3)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"duplicate-wire"}
    assert counted(verdict).duplicates_wire == 1
    assert counted(verdict).delivered == 6


def test_a_message_under_two_seqs_is_a_visible_duplicate(run: HandMade, tmp_path: Path) -> None:
    """What the client's own look at (channel, seq) cannot remove is red, and not counted on the wire as well."""
    run.deliver(2, 3, seq=2)
    verdict = run.verdict(tmp_path)
    assert "duplicate-visible" in red(verdict)
    assert "duplicate-wire" not in red(verdict)
    assert counted(verdict).duplicates_visible == 1


def test_two_swapped_deliveries_are_red(tmp_path: Path) -> None:
    """A seq below one that the client already had."""
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
    """What was never posted, or not to this client, or not in this channel."""
    run.deliver(**planted)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"phantom"}
    assert kind in finding(verdict, "phantom").summary


def test_an_altered_text_is_a_phantom_and_leaves_the_message_lost(tmp_path: Path) -> None:
    """The altered delivery does not count as the message's arrival."""
    run = HandMade()
    message = run.post(0, to=[0])
    run.deliver(message, 1, flaw=layout.ALTERED)
    assert red(run.verdict(tmp_path)) == {"phantom", "lost", "lost-tail"}


def test_a_rejected_message_must_not_be_delivered(run: HandMade, tmp_path: Path) -> None:
    """Rejected means: certainly not stored, never delivered. The ledger tells of the rejection itself."""
    run.post(0, outcome=layout.REJECTED, stored=False)
    assert red(run.verdict(tmp_path)) == {"phantom", "ledger"}


def test_acknowledged_but_not_stored_is_red(run: HandMade, tmp_path: Path) -> None:
    """An acknowledged message that the database does not hold."""
    run.post(0, to=[0, 1], stored=False)
    assert red(run.verdict(tmp_path)) == {"acknowledged-not-stored", "delivered-not-stored"}


def test_delivered_but_not_stored_is_red(run: HandMade, tmp_path: Path) -> None:
    """A message that clients saw, with an unknown outcome, and that the database does not hold."""
    run.post(0, outcome=layout.INDETERMINATE, stored=False)
    assert "delivered-not-stored" in red(run.verdict(tmp_path))


def test_an_indeterminate_message_is_for_all_or_for_none(run: HandMade, tmp_path: Path) -> None:
    """Stored or seen by one, it must reach every client; never stored and never seen, it is missed by nobody."""
    run.post(1, outcome=layout.INDETERMINATE, to=[2])
    assert "lost" in red(run.verdict(tmp_path))
    run = HandMade()
    run.post(0)
    run.post(0, outcome=layout.INDETERMINATE, stored=False, to=[])
    assert red(run.verdict(tmp_path)) == {"ledger"}


def test_an_answer_before_the_commit_is_red(run: HandMade, tmp_path: Path) -> None:
    """DB-first: the acknowledgement waits for COMMIT."""
    run.post(0, answered_ms=1.5, committed_ms=2)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"commit-order"}
    assert "answered before COMMIT" in finding(verdict, "commit-order").examples[0]


def test_a_publication_before_the_commit_is_red(run: HandMade, tmp_path: Path) -> None:
    """DB-first: nobody hears of a message that is not committed."""
    run.post(0, published_ms=1.2, committed_ms=2)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"commit-order"}
    assert "published before COMMIT" in finding(verdict, "commit-order").examples[0]


def test_a_gap_in_the_stored_seqs_is_red(run: HandMade, tmp_path: Path) -> None:
    """Seq counts 1, 2, 3 … in each channel."""
    run.post(1, seq=3)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"seq-gapless"}
    assert "channel 1: seq 2 missing" in finding(verdict, "seq-gapless").examples[0]


def test_an_acknowledged_seq_that_is_not_the_stored_one_is_red(run: HandMade, tmp_path: Path) -> None:
    """The answer's seq is the message's."""
    run.post(1, acknowledged_seq=7)
    assert "seq-gapless" in red(run.verdict(tmp_path))


def test_a_loss_in_the_warm_up_is_red_too(run: HandMade, tmp_path: Path) -> None:
    """Warm-up is not timed, but a message lost there is lost."""
    run.post(0, to=[0], phase=WARM_UP)
    run.post(0)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"lost"}
    assert "1 in warm-up" in finding(verdict, "lost").summary
    assert counted(verdict).lost == 0
    assert measured(verdict).delivery.warm_up.lost == 1


def test_slow_deliveries_are_red_for_latency_alone(run: HandMade, tmp_path: Path) -> None:
    """P99 at or over its limit fails, by a measurement without a bias."""
    for _ in range(400):
        run.post(0, latency_ms=150)
    assert red(run.verdict(tmp_path)) == {"latency_ms.p99"}


def test_a_late_subscriber_has_no_claim_to_what_came_before(run: HandMade, tmp_path: Path) -> None:
    """A client whose subscription began after a message does not miss it."""
    run.deliveries = [row for row in run.deliveries if row[0] != 1]
    run.deliver(1, 1)
    run.sessions = [(0, 0), (1, 1), (2, 0), (3, 0)]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert counted(verdict).expected == 5


def test_a_repetition_makes_nothing_else_a_duplicate(run: HandMade, tmp_path: Path) -> None:
    """Beside a delivery that came twice, one that came once under a wrong seq is still one delivery."""
    run.post(0, to=[0])
    run.deliver(3, 1, seq=9)
    run.deliver(2, 3)
    found = counted(run.verdict(tmp_path))
    assert (found.duplicates_visible, found.duplicates_wire) == (0, 1)


def test_deliveries_without_their_frame_are_found(run: HandMade, tmp_path: Path) -> None:
    """A worker was killed before its last frame came to disk: its two deliveries prove nothing, and are told."""
    whole = run.recording(tmp_path)
    cut = replace(whole, seen={0: replace(whole.seen[0], frames=whole.seen[0].frames[:-1])})
    with mock.patch.object(HandMade, "recording", return_value=cut):
        verdict = run.verdict(tmp_path)
    assert finding(verdict, "complete-rows").status is Status.UNKNOWN
    assert finding(verdict, "complete-rows").measured == {"missing_workers": 0, "without_sessions": 0, "orphans": 2}
    assert finding(verdict, "lost").status is Status.UNKNOWN, "they may be the ones that are missing"
