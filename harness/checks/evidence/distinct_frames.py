"""The distinct frames that a load worker saw. A property of a frame is a property of all its deliveries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.evidence import Evidence, Ints
from harness.recording.format import ALTERED, FOREIGN, REJECTED, UNSENT, UNVERIFIED
from harness.recording.reader import Seen

FLAWS = (
    "not compared with its post (too many different frames)",
    "not of this run",
    "changed text",
    "under another channel's name",
    "of a post that was rejected",
    "of a post that was not sent",
)
VARIANTS = 8
"""How many seqs of one message are distinguished; all further ones share the last variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctFrames:
    """Arrays by frame, shape (frames,).

    ``pair``: the number of a delivery's pair is this and its client. ``flaw``: 0 for none, else 1 + an index into
    `FLAWS`. ``variant``: one bit. Frames with one message and one seq have the same bit, frames with one message and
    another seq have another; the true seq of the message is bit 0. ``odd``: the frame has another seq than its message.
    """

    message: Ints
    channel: Ints
    seq: Ints
    pair: Ints
    flaw: NDArray[np.uint8]
    variant: NDArray[np.uint8]
    odd: NDArray[np.bool_]
    any_odd: bool

    def __len__(self) -> int:
        return len(self.message)


def look_at(evidence: Evidence, seen: Seen) -> DistinctFrames:
    """Compare each frame with what was posted."""
    table = seen.frames
    message, seq = table["message"].astype(np.int64), table["seq"].astype(np.int64)
    safe = np.maximum(message, 0)
    meant = evidence.channel[safe]
    outcome = evidence.outcome[safe]
    flaws = (
        table["flaw"] == UNVERIFIED,
        (table["flaw"] == FOREIGN) | (message < 0),
        table["flaw"] == ALTERED,
        table["channel"] != meant,
        outcome == REJECTED,
        outcome == UNSENT,
    )
    flaw = np.zeros(len(table), np.uint8)
    for number, wrong in reversed(list(enumerate(flaws, 1))):
        flaw[wrong] = number
    expected = evidence.seq[safe]
    odd = (flaw == 0) & (seq != expected)
    return DistinctFrames(
        message=message,
        channel=meant,
        seq=seq,
        pair=evidence.base[safe] - evidence.first_client[meant],
        flaw=flaw,
        variant=_variants(message, seq, odd),
        odd=odd & (expected > 0),
        any_odd=bool((odd & (expected > 0)).any()),
    )


def _variants(message: Ints, seq: Ints, odd: NDArray[np.bool_]) -> NDArray[np.uint8]:
    variant = np.ones(len(message), np.uint8)
    if not odd.any():
        return variant
    # Each (message, seq) once, in order of message: its place among those of its message is its bit.
    found, inverse = np.unique(np.stack((message[odd], seq[odd])), axis=1, return_inverse=True)
    starts = np.r_[True, found[0, 1:] != found[0, :-1]]
    place = np.arange(len(starts)) - np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
    variant[odd] = (1 << np.minimum(place + 1, VARIANTS - 1))[inverse.reshape(-1)]
    return variant
