"""The latency of each measured delivery, in files on disk if there are many."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from harness.checks.evidence.scratch import Column
from harness.checks.statistics.distribution import Bools, Distribution, Ints


class Timings:
    """All rows are appended first and read later. ``messages``: how many messages there are, of which numbers are
    appended.

    ``latency``: intended time to receipt, grouped by the second of the measured window in which the delivery was due.
    ``live`` and ``recovered``: the two parts of it, not disturbed and disturbed by a fault (`disturbance.Disturbance`).
    ``by_server``: the same grouped by the server that delivered. ``push``: from the server's receipt to the client's,
    of deliveries whose server traced it.
    """

    def __init__(self, messages: int = 0) -> None:
        self._latency_ns = Column(np.int64)
        self._second = Column(np.uint32)
        self._server = Column(np.uint16)
        self._disturbed = Column(np.bool_)
        self._push_ns = Column(np.int64)
        self._live_messages = np.zeros(messages, np.bool_)
        self._recovered_messages = np.zeros(messages, np.bool_)
        self.disturbed_count = 0

    def append(
        self, message: Ints, latency_ns: Ints, second: Ints, server: Ints, disturbed: Bools, push_ns: Ints
    ) -> None:
        """One row for each delivery; ``push_ns`` of fewer of them, or of none."""
        if disturbed.any():
            self._recovered_messages[message[disturbed]] = True
            self._live_messages[message[~disturbed]] = True
        else:
            self._live_messages[message] = True
        self._latency_ns.append(latency_ns)
        self._second.append(second)
        self._server.append(server)
        self._disturbed.append(disturbed)
        self._push_ns.append(push_ns)
        self.disturbed_count += int(disturbed.sum())

    @cached_property
    def latency(self) -> Distribution:
        messages = int((self._live_messages | self._recovered_messages).sum())
        return Distribution.count(self._by_second, self._second.highest + 1, messages)

    @cached_property
    def live(self) -> Distribution:
        messages = int(self._live_messages.sum())
        return Distribution.count(lambda: self._where(disturbed=False), self._second.highest + 1, messages)

    @cached_property
    def recovered(self) -> Distribution:
        messages = int(self._recovered_messages.sum())
        return Distribution.count(lambda: self._where(disturbed=True), self._second.highest + 1, messages)

    @cached_property
    def by_server(self) -> Distribution:
        return Distribution.count(
            lambda: zip(self._latency_ns.pieces(), self._server.pieces(), strict=True), self._server.highest + 1
        )

    @cached_property
    def push(self) -> Distribution:
        return Distribution.count(
            lambda: ((piece, np.zeros(len(piece), np.int64)) for piece in self._push_ns.pieces()), 1
        )

    def by_slice_and_server(self, seconds: int, servers: int) -> Distribution:
        """By slices of ``seconds`` groups of `latency`, each split by server: group ``slice * servers + server``."""

        def pieces() -> Iterator[tuple[Ints, Ints]]:
            for (latency_ns, second), server in zip(self._by_second(), self._server.pieces(), strict=True):
                yield latency_ns, second // seconds * servers + server

        return Distribution.count(pieces, (self._second.highest // seconds + 1) * servers)

    def _by_second(self) -> Iterator[tuple[Ints, Ints]]:
        return zip(self._latency_ns.pieces(), self._second.pieces(), strict=True)

    def _where(self, *, disturbed: bool) -> Iterator[tuple[Ints, Ints]]:
        for (latency_ns, second), was in zip(self._by_second(), self._disturbed.pieces(), strict=True):
            wanted = (was != 0) == disturbed
            yield latency_ns[wanted], second[wanted]
