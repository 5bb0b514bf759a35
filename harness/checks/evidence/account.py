"""The expected deliveries that are missing: the ledger compared with the received deliveries."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.evidence import Evidence, Ints, must_arrive
from harness.checks.evidence.positions import first_positions
from harness.checks.evidence.scratch import zeros
from harness.checks.evidence.tally import Tally
from harness.checks.evidence.undelivered import DrainEvidence, drain_evidence

BLOCK_PAIRS = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``expected`` and ``delivered`` pairs by message, message and client of every lost pair, ``undelivered`` pairs by
    message. A missing pair is lost or undelivered (`harness.checks.evidence.undelivered`)."""

    expected: Ints
    delivered: Ints
    undelivered: Ints
    lost_message: NDArray[np.int32]
    lost_client: NDArray[np.int32]
    tail: NDArray[np.bool_]
    """which of the lost pairs are later than every message that their client received"""
    drain: DrainEvidence

    @classmethod
    def nothing(cls, messages: int, clients: int) -> "Account":
        """The account of a recording that cannot be reconciled: no pair was expected."""
        none, nothing = np.zeros(0, np.int32), np.zeros(messages, np.int64)
        return cls(
            expected=nothing,
            delivered=nothing,
            undelivered=nothing,
            lost_message=none,
            lost_client=none,
            tail=none.astype(np.bool_),
            drain=DrainEvidence.unknown(clients),
        )

    @property
    def pairs(self) -> int:
        """All expected pairs."""
        return int(self.expected.sum())

    @property
    def messages(self) -> int:
        """How many messages must arrive."""
        return int((self.expected > 0).sum())

    @property
    def delivered_messages(self) -> int:
        """How many messages reached a client."""
        return int((self.delivered > 0).sum())


def reconcile(evidence: Evidence, tally: Tally) -> Account:
    """Find every missing pair: a client that was subscribed, a message that must arrive, and no delivery."""
    sizes = evidence.audience[evidence.channel]
    got = _delivered(evidence, tally, sizes)
    must = must_arrive(evidence, got)
    short = np.flatnonzero(must & (got < sizes))
    drain = drain_evidence(evidence)
    excused, undelivered = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
    lost_room = int((sizes - got)[short].sum())
    lost_message, lost_client = zeros((1, lost_room), np.int32)[0], zeros((1, lost_room), np.int32)[0]
    tail = zeros((1, lost_room), np.bool_)[0]
    first = first_positions(evidence)
    lost = 0
    for messages in _blocks(short, sizes):
        message, client = _missing(evidence, tally, messages, sizes)
        seq = evidence.seq[message]
        # A client that subscribed late does not miss the messages before its subscription.
        late = first.behind(evidence, client, message)
        last = seq > tally.highest_seq[client]
        # For a message without a seq it is unknown whether its client's position has passed it.
        open_ = (last | (seq == 0)) & ~late & ~drain.quiet[client]
        excused += np.bincount(message[late], minlength=len(sizes))
        undelivered += np.bincount(message[open_], minlength=len(sizes))
        gone = ~late & ~open_
        here = slice(lost, lost + int(gone.sum()))
        lost_message[here], lost_client[here], tail[here] = message[gone], client[gone], last[gone]
        lost = here.stop
    return Account(
        expected=np.where(must, sizes - excused, 0),
        delivered=got,
        undelivered=undelivered,
        lost_message=lost_message[:lost],
        lost_client=lost_client[:lost],
        tail=tail[:lost],
        drain=drain,
    )


def _blocks(messages: Ints, sizes: Ints) -> Iterator[Ints]:
    """The messages in parts of about BLOCK_PAIRS pairs, so that the work on them takes the same memory for any
    number."""
    part = np.cumsum(sizes[messages]) // BLOCK_PAIRS
    for found in np.split(messages, np.flatnonzero(np.diff(part)) + 1):
        if len(found):
            yield found


def _missing(evidence: Evidence, tally: Tally, messages: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """(message, client) of every pair of these messages that never came."""
    message = np.repeat(messages, sizes[messages])
    within = np.arange(len(message)) - np.repeat(np.cumsum(sizes[messages]) - sizes[messages], sizes[messages])
    client = within + evidence.first_client[evidence.channel[message]]
    # If the rows of a client are missing, it is not known what it received.
    missing = (tally.seqs[evidence.base[message] + within] == 0) & ~tally.unseen[client]
    return message[missing], client[missing]


def _delivered(evidence: Evidence, tally: Tally, sizes: Ints) -> Ints:
    """How many clients each message reached, shape (messages,)."""
    got = np.zeros(len(sizes), np.int64)
    edges = np.unique(np.r_[np.searchsorted(evidence.base, np.arange(0, evidence.pairs, BLOCK_PAIRS)), len(sizes)])
    for low, high in pairwise(edges.tolist()):
        first = evidence.base[low]
        counted = tally.seqs[first : evidence.base[high - 1] + sizes[high - 1]]
        # Nearly always everything arrived, and one comparison shows that.
        got[low:high] = (
            sizes[low:high] if counted.all() else np.add.reduceat(counted > 0, evidence.base[low:high] - first)
        )
    return got
