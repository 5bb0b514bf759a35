"""The order in which each client received its channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.evidence import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Deliveries that came after a later one: their rows, and the highest seq that their client had before."""

    rows: Ints
    highest: Ints


class ClientOrder:
    """Follows the highest seq that each client has received. ``highest_seq`` has shape (clients,), 0 for none, and is
    kept up to date; ``mine`` are the clients of one load worker, whose deliveries are followed."""

    def __init__(self, highest_seq: Ints, mine: Ints) -> None:
        self._highest_seq = highest_seq
        # A worker has at most 65,536 clients: numbers of 16 bits sort by radix, ten times as fast.
        self._local = np.zeros(len(highest_seq), np.uint16)
        self._local[mine] = np.arange(len(mine))

    def follow(self, client: Ints, seq: Ints) -> Behind:
        """Deliveries in order of arrival → those whose seq is below the highest that their client had before."""
        if not len(client):
            return Behind(rows=np.empty(0, np.int64), highest=np.empty(0, np.int64))
        number = self._local[client]
        order = np.argsort(number, kind="stable")
        number, seq = number[order], seq[order]
        starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
        clients = client[order[starts]]
        before = np.r_[0, seq[:-1]]
        before[starts] = self._highest_seq[clients]
        behind = np.flatnonzero(seq < before)
        if len(behind):
            before = _highest_before(seq, starts, self._highest_seq[clients])
            behind = np.flatnonzero(seq < before)
        self._highest_seq[clients] = np.maximum(self._highest_seq[clients], np.maximum.reduceat(seq, starts))
        return Behind(rows=order[behind], highest=before[behind])


def _highest_before(seq: Ints, starts: Ints, at_start: Ints) -> NDArray[np.int64]:
    """The highest of ``at_start`` and of all earlier seqs of the same client, by row. Rows of one client follow each
    other from ``starts`` on."""
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(seq)]))
    values, rank = np.unique(seq, return_inverse=True)
    # Ranks of a later group are higher than all of an earlier one: one running maximum serves all groups.
    running = np.maximum.accumulate(group * len(values) + rank)
    earlier = values[np.r_[0, running[:-1]] - group * len(values)]
    earlier[starts] = 0
    found: NDArray[np.int64] = np.maximum(earlier, at_start[group])
    return found
