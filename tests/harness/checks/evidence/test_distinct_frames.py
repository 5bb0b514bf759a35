"""Properties of frames, in recordings of a few of them."""

from pathlib import Path

import pytest

from harness.checks.evidence.distinct_frames import FLAWS, VARIANTS, DistinctFrames, look_at
from harness.recording import format as layout
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.recordings import HandMade


def looked_at(run: HandMade, folder: Path) -> DistinctFrames:
    evidence = gathered(run, folder)
    return look_at(evidence, evidence.recording.seen[0])


def flaw(frames: DistinctFrames, index: int) -> str:
    """The flaw in words; empty for none."""
    return FLAWS[frames.flaw[index] - 1] if frames.flaw[index] else ""


def posted(*outcomes: int) -> HandMade:
    """A message of channel 0 for each outcome, without a delivery."""
    run = HandMade()
    for outcome in outcomes:
        run.post(0, outcome=outcome, to=[], stored=outcome == layout.ACKNOWLEDGED)
    return run


@pytest.mark.parametrize(
    ("outcome", "planted", "words"),
    [
        (layout.ACKNOWLEDGED, {}, ""),
        (layout.INDETERMINATE, {}, ""),
        (layout.ACKNOWLEDGED, {"flaw": layout.UNVERIFIED}, "not compared"),
        (layout.ACKNOWLEDGED, {"flaw": layout.FOREIGN}, "not of this run"),
        (layout.ACKNOWLEDGED, {"message": -1}, "not of this run"),
        (layout.ACKNOWLEDGED, {"flaw": layout.ALTERED}, "changed"),
        (layout.ACKNOWLEDGED, {"channel": 1}, "another channel"),
        (layout.REJECTED, {}, "rejected"),
        (layout.UNSENT, {}, "not sent"),
        (layout.REJECTED, {"flaw": layout.ALTERED, "channel": 1}, "changed"),
        (layout.UNSENT, {"channel": 1}, "another channel"),
    ],
)
def test_a_frame_has_its_first_flaw(tmp_path: Path, outcome: int, planted: dict[str, int], words: str) -> None:
    """Of several flaws the first one of the list counts. A post of unknown outcome may be delivered."""
    run = posted(outcome)
    run.deliver(**{"message": 0, "client": 0} | planted)  # type: ignore[arg-type]  # its arguments
    found = flaw(looked_at(run, tmp_path), 0)
    assert words in found
    assert bool(found) is bool(words)


def test_without_a_frame_there_is_nothing(tmp_path: Path) -> None:
    """The worker saw no frame."""
    frames = looked_at(posted(layout.ACKNOWLEDGED), tmp_path)
    assert (len(frames), frames.any_odd) == (0, False)


def test_the_true_seq_has_the_first_bit_and_others_their_own(tmp_path: Path) -> None:
    """Message 0 has two wrong seqs, whose bits follow the order of their sizes. The bits of message 1 begin anew."""
    run = posted(layout.ACKNOWLEDGED, layout.ACKNOWLEDGED)
    for message, seq in ((0, 9), (0, 1), (1, 7), (0, 5), (1, 2)):
        run.deliver(message, 0, seq=seq)
    frames = looked_at(run, tmp_path)
    assert frames.seq.tolist() == [9, 1, 7, 5, 2]
    assert frames.variant.tolist() == [4, 1, 2, 2, 1]
    assert frames.odd.tolist() == [True, False, True, True, False]
    assert frames.any_odd


def test_all_seqs_beyond_the_last_bit_share_it(tmp_path: Path) -> None:
    """A byte holds eight variants: the true seq, six others, and one for all further seqs."""
    run = posted(layout.ACKNOWLEDGED)
    for seq in range(2, VARIANTS + 4):
        run.deliver(0, 0, seq=seq)
    assert looked_at(run, tmp_path).variant.tolist() == [2, 4, 8, 16, 32, 64, 128, 128, 128, 128]


def test_a_message_whose_seq_is_not_known_has_no_wrong_one(tmp_path: Path) -> None:
    """Two seqs of the message are still distinguished. A flawed frame is not compared."""
    run = HandMade(audited=False)
    run.post(0, outcome=layout.INDETERMINATE, to=[])
    run.deliver(0, 0, seq=3)
    run.deliver(0, 1, seq=4)
    run.deliver(0, 1, seq=5, flaw=layout.ALTERED)
    frames = looked_at(run, tmp_path)
    assert frames.odd.tolist() == [False, False, False]
    assert not frames.any_odd
    assert frames.variant[0] != frames.variant[1]
    assert frames.variant[2] == 1
