"""Deliveries that came once more after a reconnection, and which of them the contract allows.

A client that reconnects names the last seq that it has, and the server confirms the position after which it delivers
(docs/protocol.md). So a client may get the messages after that position again, once on each connection. Any other
repetition is an error: on one connection, at or before the position, at a client that never reconnected.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.sessions import Ints, Sessions

CANDIDATES_MAX = 100_000
"""More repetitions than this are not examined: none of them is allowed."""


class Repetitions:
    """The repetitions of one load worker's clients. ``allowed`` looks at the rows again, only if there are
    candidates."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._clients = frozenset(sessions.client[~sessions.last].tolist())
        self._candidates: list[tuple[int, int, int, int]] = []
        """(client, message, phase, connection)"""

    def may_be_allowed(self, clients: NDArray[np.int64]) -> NDArray[np.bool_]:
        """By row: its client reconnected. If a server repeats everything to all others, its rows are not examined one
        by one."""
        return np.isin(clients, list(self._clients))

    def note(self, client: int, message: int, phase: int, seq: int, received_ns: int) -> None:
        """``client`` got ``message`` once more."""
        if client not in self._clients or len(self._candidates) >= CANDIDATES_MAX:
            return
        connection = self._connection(client, received_ns)
        if connection is not None and seq > int(self._sessions.position[connection]):
            self._candidates.append((client, message, phase, connection))

    def allowed(self, pieces: Iterable[tuple[Ints, Ints, Ints]]) -> list[int]:
        """The phases of those that are allowed. ``pieces`` are the deliveries as (client, message, received_ns)."""
        if not self._candidates:
            return []
        begun_ns = {candidate: int(self._sessions.connected_ns[candidate[3]]) for candidate in self._candidates}
        first_ns = self._first_receipts(pieces)
        return [
            phase
            for (client, message, phase, connection), connected_ns in begun_ns.items()
            if first_ns.get((client, message), connected_ns) < connected_ns
        ]

    def _connection(self, client: int, at_ns: int) -> int | None:
        """The newest connection of ``client`` that had begun by then; None for its first one."""
        low, high = np.searchsorted(self._sessions.client, (client, client + 1))
        begun = np.flatnonzero(self._sessions.connected_ns[low:high] <= at_ns)
        return int(low + begun[-1]) if len(begun) > 1 else None

    def _first_receipts(self, pieces: Iterable[tuple[Ints, Ints, Ints]]) -> dict[tuple[int, int], int]:
        clients, messages = (np.unique([candidate[column] for candidate in self._candidates]) for column in (0, 1))
        found: dict[tuple[int, int], int] = {}
        for client, message, received_ns in pieces:
            wanted = np.isin(client, clients) & np.isin(message, messages)
            for key, at_ns in zip(_pairs(client[wanted], message[wanted]), received_ns[wanted].tolist(), strict=True):
                found[key] = min(found.get(key, at_ns), at_ns)
        return found


def _pairs(client: NDArray[np.int64], message: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    return zip(client.tolist(), message.tolist(), strict=True)
