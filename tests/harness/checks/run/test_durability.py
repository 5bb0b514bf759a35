"""What the database must contain. Each class of error, planted in a recording of a few rows, turns its own check
red."""

import dataclasses
from pathlib import Path
from unittest import mock

import pytest

from harness.model.finding import Status
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, red


def test_texts_in_the_wrong_channel_are_red(tmp_path: Path) -> None:
    """Two messages changed places, each under a seq of the other's channel. The seqs of both channels still have no
    gap."""
    run = HandMade()
    for channel in (0, 0, 1, 1):
        run.post(channel)
    recording = run.recording(tmp_path)
    assert recording.stored is not None
    stored = recording.stored.copy()
    stored["message"][[1, 3]] = stored["message"][[3, 1]]
    with mock.patch.object(HandMade, "recording", return_value=dataclasses.replace(recording, stored=stored)):
        verdict = run.verdict(tmp_path)
    assert red(verdict) == {"seq-gapless"}
    found = finding(verdict, "seq-gapless")
    assert found.measured == 2
    assert "channel 0, seq 2: message 3, posted to channel 1" in found.examples


def test_a_message_with_an_unknown_outcome_is_not_known_without_an_audit(tmp_path: Path) -> None:
    """A message without a delivery may be lost or may not exist; a message with deliveries may be a phantom. With an
    audit both are decided."""
    for to, undecided, decided in (([], {"lost", "lost-tail"}, {"phantom"}), ([0, 1], {"phantom"}, {"lost"})):
        for audited in (False, True):
            run = HandMade(audited=audited)
            run.post(0)
            run.post(0, outcome=layout.INDETERMINATE, stored=bool(to), to=to)
            verdict = run.verdict(tmp_path)
            statuses = {name: finding(verdict, name).status for name in undecided | decided}
            expected = dict.fromkeys(undecided, Status.PASS if audited else Status.UNKNOWN)
            assert statuses == expected | dict.fromkeys(decided, Status.PASS), (to, audited)


def test_a_ledger_without_an_acknowledgement_passes_nothing(tmp_path: Path) -> None:
    """No post was acknowledged, so it is not known what the service does with a post."""
    run = HandMade()
    run.post(0, outcome=layout.UNSENT, to=[], stored=False)
    assert finding(run.verdict(tmp_path), "ledger").status is Status.UNKNOWN


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_acknowledged_but_not_stored_is_red(run: HandMade, tmp_path: Path) -> None:
    """The database does not contain an acknowledged message."""
    run.post(0, to=[0, 1], stored=False)
    assert red(run.verdict(tmp_path)) == {"acknowledged-not-stored", "delivered-not-stored"}


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_delivered_but_not_stored_is_red(run: HandMade, tmp_path: Path) -> None:
    """Clients received a message of unknown outcome, and the database does not contain it."""
    run.post(0, outcome=layout.INDETERMINATE, stored=False)
    assert "delivered-not-stored" in red(run.verdict(tmp_path))


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_an_answer_before_the_commit_is_red(run: HandMade, tmp_path: Path) -> None:
    """With the write path DB-first the acknowledgement comes after COMMIT."""
    run.post(0, answered_ms=1.5, committed_ms=2)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"commit-order"}
    assert "answered before COMMIT" in finding(verdict, "commit-order").examples[0]


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_a_publication_before_the_commit_is_red(run: HandMade, tmp_path: Path) -> None:
    """With the write path DB-first a message is published after COMMIT."""
    run.post(0, published_ms=1.2, committed_ms=2)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"commit-order"}
    assert "published before COMMIT" in finding(verdict, "commit-order").examples[0]


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_a_gap_in_the_stored_seqs_is_red(run: HandMade, tmp_path: Path) -> None:
    """The seqs of each channel are 1, 2, 3 …"""
    run.post(1, seq=3)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"seq-gapless"}
    assert "channel 1: seq 2 missing" in finding(verdict, "seq-gapless").examples[0]


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_an_acknowledged_seq_that_is_not_the_stored_one_is_red(run: HandMade, tmp_path: Path) -> None:
    """The seq of the answer must be the stored one."""
    run.post(1, acknowledged_seq=7)
    assert "seq-gapless" in red(run.verdict(tmp_path))


@pytest.mark.usefixtures("however_much_is_read_at_once")
def test_a_rejected_message_must_not_be_delivered(run: HandMade, tmp_path: Path) -> None:
    """A rejected message must be neither stored nor delivered. The rejection itself is reported by the ledger."""
    run.post(0, outcome=layout.REJECTED, stored=False)
    assert red(run.verdict(tmp_path)) == {"phantom", "ledger"}
