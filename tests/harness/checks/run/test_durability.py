"""What the database must hold, without evidence and in the wrong place."""

import dataclasses
from pathlib import Path
from unittest import mock

from harness.model.finding import Status
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, red


def test_texts_in_the_wrong_channel_are_red(tmp_path: Path) -> None:
    """Two messages changed places, each under a seq of the other's channel: both channels count 1, 2, 3 without a gap."""
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
    """Nobody received it: it may be lost or may not exist. Some received it: it may be a phantom. With an audit both are
    known."""
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
    """Every post failed in an outage that excuses it: what the service does with a post is not known."""
    run = HandMade()
    run.post(0, outcome=layout.UNSENT, to=[], stored=False)
    assert finding(run.verdict(tmp_path), "ledger").status is Status.UNKNOWN
