"""Are the messages of each channel stored as 1, 2, 3 …, and did the poster and the clients get that seq?

A cause is counted once and named by its place, a channel and a seq. Its effect is counted separately: one hole puts
every later message out of line, one wrong answer changes nothing for a hundred right deliveries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.check import Answer, Case
from harness.checks.evidence.evidence import Evidence, Ints
from harness.checks.evidence.tally import EXAMPLES
from harness.model.finding import Status
from harness.recording.format import ACKNOWLEDGED, SOUND

Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """One kind of error: how often it is, in words with its effect, and where."""

    count: int
    told: str
    examples: tuple[str, ...] = ()


def gapless(case: Case) -> Answer:
    """The database holds seq 1, 2, 3 … of each channel, each message once, unaltered and in its channel. Answers and
    deliveries carry the stored seq."""
    evidence, stored = case.evidence, case.evidence.recording.stored
    causes = [_told_otherwise(case)]
    if stored is not None:
        causes += [_holes(stored), _repeated(stored), _altered(stored), _misplaced(evidence, stored), _twice(stored)]
    found = [cause for cause in causes if cause.count]
    count, samples = sum(cause.count for cause in found), 0 if stored is None else len(stored)
    if found:
        status, summary = Status.FAIL, "; ".join(cause.told for cause in found)
    elif stored is None:
        status, summary = Status.UNKNOWN, "not known: the database was not read after the run"
    elif not samples:
        status, summary = Status.UNKNOWN, "the database holds no message of this run"
    else:
        status = Status.PASS
        channels = len(np.unique(stored["channel"]))
        summary = (
            f"{samples:,} stored messages in {channels:,} channels, numbered 1, 2, 3 … without a gap, as acknowledged"
        )
    return Answer(
        status=status,
        summary=summary,
        measured=None if stored is None and not found else count,
        expected=0,
        samples=samples,
        examples=tuple(text for cause in found for text in cause.examples)[:EXAMPLES],
    )


def _in_order(stored: Rows) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(channel, seq, whether the row is its channel's first), in order of channel and seq."""
    order = np.lexsort((stored["seq"], stored["channel"]))
    channel, seq = stored["channel"][order].astype(np.int64), stored["seq"][order].astype(np.int64)
    return channel, seq, np.r_[True, channel[1:] != channel[:-1]][: len(channel)]


def _holes(stored: Rows) -> Causes:
    """A hole is a run of missing seqs in one channel; a channel that does not begin with 1 has one before its first."""
    channel, seq, starts = _in_order(stored)
    before = np.where(starts, 0, np.r_[0, seq[:-1]][: len(seq)])
    at = np.flatnonzero(seq > before + 1)
    missing = int((seq[at] - before[at] - 1).sum())
    last = np.r_[starts[1:], True][: len(starts)]
    behind = 0
    if len(at):
        # Everything from a channel's first hole on; of several holes in one channel the first counts.
        first = at[np.unique(channel[at], return_index=True)[1]]
        ends = np.flatnonzero(last)
        behind = int((ends[np.searchsorted(ends, first)] - first + 1).sum())
    return Causes(
        count=len(at),
        told=f"{len(at):,} × hole in the stored seqs of a channel ({missing:,} seqs missing, {behind:,} messages "
        "stored behind)",
        examples=tuple(
            f"channel {channel[i]}: {_seqs(int(before[i]) + 1, int(seq[i]) - 1)} missing, next is seq {seq[i]}"
            for i in at[:EXAMPLES]
        ),
    )


def _repeated(stored: Rows) -> Causes:
    """A seq that a channel has twice. Neighbours are one cause: a numbering that began again repeats many in a row."""
    channel, seq, starts = _in_order(stored)
    again = np.flatnonzero(~starts & (seq == np.r_[0, seq[:-1]][: len(seq)]))
    places = np.unique(np.stack((channel[again], seq[again])), axis=1)
    begins = np.flatnonzero(np.r_[True, (np.diff(places[0]) != 0) | (np.diff(places[1]) != 1)][: places.shape[1]])
    ends = np.r_[begins[1:], places.shape[1]][: len(begins)] - 1
    return Causes(
        count=len(begins),
        told=f"{len(begins):,} × place where a channel has a seq more than once ({len(again):,} messages)",
        examples=tuple(
            f"channel {places[0, low]}: {_seqs(int(places[1, low]), int(places[1, high]))} more than once"
            for low, high in zip(begins[:EXAMPLES], ends[:EXAMPLES], strict=True)
        ),
    )


def _seqs(first: int, last: int) -> str:
    return f"seq {first}" if first == last else f"seq {first} to {last}"


def _altered(stored: Rows) -> Causes:
    wrong = np.flatnonzero(stored["flaw"] != SOUND)
    return Causes(
        count=len(wrong),
        told=f"{len(wrong):,} × stored text that was not posted",
        examples=tuple(f"{_place(stored, row)}: its text was not posted" for row in wrong[:EXAMPLES]),
    )


def _misplaced(evidence: Evidence, stored: Rows) -> Causes:
    message = stored["message"]
    known = (message >= 0) & (stored["flaw"] == SOUND)
    wrong = np.flatnonzero(known & (stored["channel"] != evidence.channel[np.maximum(message, 0)]))
    return Causes(
        count=len(wrong),
        told=f"{len(wrong):,} × message stored in another channel than it was posted to",
        examples=tuple(
            f"{_place(stored, row)}: message {message[row]}, posted to channel {evidence.channel[message[row]]}"
            for row in wrong[:EXAMPLES]
        ),
    )


def _twice(stored: Rows) -> Causes:
    known = np.flatnonzero(stored["message"] >= 0)
    messages, first, counts = np.unique(stored["message"][known], return_index=True, return_counts=True)
    again = np.flatnonzero(counts > 1)
    return Causes(
        count=len(again),
        told=f"{len(again):,} × message stored more than once",
        examples=tuple(
            f"{_place(stored, known[first[row]])}: message {messages[row]} is stored {counts[row]} times"
            for row in again[:EXAMPLES]
        ),
    )


def _place(stored: Rows, row: int) -> str:
    return f"channel {stored['channel'][row]}, seq {stored['seq'][row]}"


def _told_otherwise(case: Case) -> Causes:
    """Messages that were answered or delivered under another seq than their own. One is one, for however many
    clients."""
    evidence, misnumbered = case.evidence, case.tally.misnumbered
    posts = evidence.recording.posts
    answered = np.zeros(len(misnumbered), np.bool_)
    if len(posts) == len(misnumbered):
        answered = (evidence.outcome == ACKNOWLEDGED) & (evidence.seq > 0) & (posts["seq"] != evidence.seq)
    wrong = np.flatnonzero(answered | (misnumbered > 0))
    examples = [
        f"channel {evidence.channel[message]}, seq {evidence.seq[message]}: message {message} was answered as seq "
        f"{posts['seq'][message]}"
        for message in np.flatnonzero(answered)[:EXAMPLES]
    ]
    return Causes(
        count=len(wrong),
        told=f"{len(wrong):,} × message under another seq than its own ({int(answered.sum()):,} answers, "
        f"{int(misnumbered.sum()):,} deliveries)",
        examples=(*examples, *case.tally.examples.get("seq", ())),
    )
