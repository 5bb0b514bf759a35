"""Each cause of wrong seqs is counted once, by its place. Its consequences are reported beside it."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.model.finding import Finding, Status
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding

CHECK = "seq-gapless"


def asked(run: HandMade, folder: Path) -> Finding:
    return finding(run.verdict(folder), CHECK)


def test_one_hole_is_one_however_many_messages_lie_behind_it(tmp_path: Path) -> None:
    """46 messages are stored as 1, 3, 4 … 47: there is one gap, with 45 messages behind it."""
    run = HandMade()
    run.post(0)
    for seq in range(3, 48):
        run.post(0, seq=seq)
    run.post(1)
    found = asked(run, tmp_path)
    assert (found.status, found.measured) == (Status.FAIL, 1)
    assert found.summary == "1 × hole in the stored seqs of a channel (1 seqs missing, 45 messages stored behind)"
    assert found.examples == ("channel 0: seq 2 missing, next is seq 3",)


def test_two_holes_of_one_channel_have_their_places(tmp_path: Path) -> None:
    """A channel that does not begin with seq 1 has a gap before its first message."""
    run = HandMade()
    for seq in (2, 3, 7, 8):
        run.post(1, seq=seq)
    found = asked(run, tmp_path)
    assert found.measured == 2
    assert "4 seqs missing, 4 messages stored behind" in found.summary
    assert found.examples == ("channel 1: seq 1 missing, next is seq 2", "channel 1: seq 4 to 6 missing, next is seq 7")


@pytest.mark.parametrize("clients", [2, 20])
def test_three_wrong_answers_are_three_for_any_audience(tmp_path: Path, clients: int) -> None:
    """The stored and delivered seqs are right; only the answers are wrong."""
    run = HandMade(clients=clients, audience=clients)
    for number in range(6):
        run.post(0, acknowledged_seq=40 + number if number < 3 else None)
    found = asked(run, tmp_path)
    assert found.measured == 3
    assert found.summary == "3 × message under another seq than its own (3 answers, 0 deliveries)"
    assert found.examples[0] == "channel 0, seq 1: message 0 was answered as seq 40"


def test_a_wrong_frame_is_one_message_at_all_its_clients(tmp_path: Path) -> None:
    """A message is answered and stored as seq 2 and delivered as seq 9 to 20 clients: one message, 20 deliveries."""
    run = HandMade(clients=20, audience=20)
    run.post(0)
    message = run.post(0, to=[])
    for client in range(20):
        run.deliver(message, client, seq=9)
    found = asked(run, tmp_path)
    assert found.measured == 1
    assert found.summary == "1 × message under another seq than its own (0 answers, 20 deliveries)"
    assert found.examples == ("message 1 (channel 0, seq 2): delivered as seq 9",)


def test_a_numbering_that_began_anew_is_one_place(tmp_path: Path) -> None:
    """Messages are stored as 1, 2, 3, 1, 2, 3: seqs 1 to 3 occur more than once."""
    run = HandMade()
    for seq in (1, 2, 3, 1, 2, 3):
        run.post(0, seq=seq)
    found = asked(run, tmp_path)
    assert "1 × place where a channel has a seq more than once (3 messages)" in found.summary
    assert "channel 0: seq 1 to 3 more than once" in found.examples


def _stored(run: HandMade, folder: Path, rows: list[tuple[int, int, int, int]]) -> Finding:
    recording = replace(run.recording(folder), stored=np.array(rows, layout.STORED))
    with mock.patch.object(HandMade, "recording", return_value=recording):
        return asked(run, folder)


def test_stored_texts_have_their_place(tmp_path: Path) -> None:
    """A message is stored in another channel, stored twice, or stored with another text."""
    run = HandMade()
    run.post(0)
    run.post(1)
    elsewhere = _stored(run, tmp_path, [(0, 0, 1, layout.SOUND), (1, 0, 2, layout.SOUND)])
    assert elsewhere.status is Status.FAIL
    assert "channel 0, seq 2: message 1, posted to channel 1" in elsewhere.examples
    twice = _stored(run, tmp_path, [(0, 0, 1, layout.SOUND), (0, 0, 2, layout.SOUND), (1, 1, 1, layout.SOUND)])
    assert "1 × message stored more than once" in twice.summary
    altered = _stored(run, tmp_path, [(0, 0, 1, layout.ALTERED), (1, 1, 1, layout.SOUND)])
    assert altered.summary == "1 × stored text that was not posted"
    assert altered.examples == ("channel 0, seq 1: its text was not posted",)


def test_without_an_audit_it_is_not_known_unless_deliveries_contradict_answers(tmp_path: Path) -> None:
    """Without the database the check is UNKNOWN. A delivery under another seq than that of the answer is still
    wrong."""
    run = HandMade(audited=False)
    run.post(0)
    assert asked(run, tmp_path).status is Status.UNKNOWN
    run.deliver(run.post(0, to=[0]), 1, seq=9)
    assert asked(run, tmp_path).status is Status.FAIL
    empty = HandMade()
    empty.post(0, stored=False)
    assert asked(empty, tmp_path).status is Status.UNKNOWN
