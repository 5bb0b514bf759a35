"""Finds messages by channel and seq, for the rows of a trace."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SLOTS_PER_MESSAGE = 8
"""A table has at most this many slots for each message. If seqs have larger gaps, it would need too much memory."""
NONE = -1


class MessageIndex:
    """``channel`` and ``seq`` by message; a seq of 0 means that the message has none. If messages share a channel and a
    seq, the first of them is found.

    Servers number the messages of a channel 1, 2, 3 …, so a table by channel and seq is small, and finds a row several
    times as fast as a binary search. Numbers with large gaps are searched for.
    """

    def __init__(self, channel: Ints, seq: Ints) -> None:
        messages = np.flatnonzero(seq > 0)
        channel, seq = channel[messages], seq[messages]
        self._highest = np.zeros(int(channel.max(initial=-1)) + 1, np.int64)
        np.maximum.at(self._highest, channel, seq)
        slots = float(self._highest.sum(dtype=np.float64))
        self._numbers: _Table | _Search
        if slots <= SLOTS_PER_MESSAGE * len(messages):
            self._numbers = _Table(channel, seq, messages, self._highest)
        else:
            self._numbers = _Search(channel, seq, messages)

    def find(self, channel: NDArray[np.unsignedinteger], seq: Ints) -> tuple[Ints, Bools]:
        """Rows of (channel, seq) → (the message of each row that has one, which rows have one)."""
        known = channel < len(self._highest)
        within = channel[known].astype(np.int64)
        known[known] = (seq[known] > 0) & (seq[known] <= self._highest[within])
        message = self._numbers.find(channel[known].astype(np.int64), seq[known])
        found = message != NONE
        known[known] = found
        return message[found], known


class _Table:
    """A slot for each seq of a channel, from 1 to its highest."""

    def __init__(self, channel: Ints, seq: Ints, messages: Ints, highest: Ints) -> None:
        self._before = np.cumsum(highest) - highest - 1  # seqs begin at 1
        self._slots = np.full(int(highest.sum()), NONE, np.int32)
        # From the last to the first, so that the first of several remains.
        self._slots[(self._before[channel] + seq)[::-1]] = messages[::-1]

    def find(self, channel: Ints, seq: Ints) -> Ints:
        """The message of each row, or NONE. No seq is above the highest of its channel."""
        found: Ints = self._slots[self._before[channel] + seq].astype(np.int64)
        return found


class _Search:
    """Sorted pairs of a channel and the rank of a seq among all. The ranks are small where seqs take 64 bits."""

    def __init__(self, channel: Ints, seq: Ints, messages: Ints) -> None:
        self._seqs = np.unique(seq)
        pairs = channel * len(self._seqs) + np.searchsorted(self._seqs, seq)
        order = np.argsort(pairs, kind="stable")
        self._pairs, self._messages = pairs[order], messages[order]

    def find(self, channel: Ints, seq: Ints) -> Ints:
        """The message of each row, or NONE. No seq is above the highest of its channel."""
        rank = np.searchsorted(self._seqs, seq)
        pairs = channel * len(self._seqs) + rank
        at = np.searchsorted(self._pairs, pairs)  # at most the pair of the channel's highest seq
        found = (self._seqs[rank] == seq) & (self._pairs[at] == pairs)
        return np.where(found, self._messages[at], NONE)
