"""Which expected deliveries are missing: the ledger against what the clients received."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.evidence import Evidence, Ints, must_arrive
from harness.checks.evidence.positions import first_positions
from harness.checks.evidence.tally import Tally

BLOCK_PAIRS = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``expected`` and ``delivered`` pairs by message, and message and client of every lost pair."""

    expected: Ints
    delivered: Ints
    lost_message: Ints
    lost_client: Ints
    tail: NDArray[np.bool_]
    """which of the lost come after everything that their client received"""

    @classmethod
    def nothing(cls, messages: int) -> "Account":
        """No pair was expected: what a recording gives that cannot be reconciled."""
        none = np.zeros(0, np.int64)
        zeros = np.zeros(messages, np.int64)
        return cls(expected=zeros, delivered=zeros, lost_message=none, lost_client=none, tail=none.astype(np.bool_))

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
    message = np.repeat(short, sizes[short])
    within = np.arange(len(message)) - np.repeat(np.cumsum(sizes[short]) - sizes[short], sizes[short])
    client = within + evidence.first_client[evidence.channel[message]]
    # What a client received whose rows are missing is not known.
    missing = (tally.count[evidence.base[message] + within] == 0) & ~tally.unseen[client]
    message, client = message[missing], client[missing]
    # A client that subscribed late does not miss the messages before its subscription.
    late = first_positions(evidence).behind(evidence, client, message)
    excused = np.bincount(message[late], minlength=len(sizes))
    message, client = message[~late], client[~late]
    return Account(
        expected=np.where(must, sizes - excused, 0),
        delivered=got,
        lost_message=message,
        lost_client=client,
        tail=evidence.seq[message] > tally.highest_seq[client],
    )


def _delivered(evidence: Evidence, tally: Tally, sizes: Ints) -> Ints:
    """How many clients each message reached, shape (messages,)."""
    got = np.zeros(len(sizes), np.int64)
    edges = np.unique(np.r_[np.searchsorted(evidence.base, np.arange(0, evidence.pairs, BLOCK_PAIRS)), len(sizes)])
    for low, high in pairwise(edges.tolist()):
        first = evidence.base[low]
        counted = tally.count[first : evidence.base[high - 1] + sizes[high - 1]]
        # Nearly always everything arrived, and that is found with one look.
        got[low:high] = (
            sizes[low:high] if counted.all() else np.add.reduceat(counted > 0, evidence.base[low:high] - first)
        )
    return got
