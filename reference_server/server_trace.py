"""The trace: when each message passed this server. It is kept in plain columns, a few dozen bytes per row, until a
client reads it."""

import time
from array import array
from typing import Any

LIVE, RECOVERED, GAP = 0, 1, 2
"""A GAP is an event that says that a message is lost; it is not a delivery and has no row."""
COMMITTED = 2
"""the column of ``committed`` in ``accepted``, after the channel's seq and ``accepted``"""
_SOURCES = ("live", "recovered")


class Part:
    """One table of the trace: a channel and some integers per row.

    The first ``capacity`` rows are kept, and the rest are only counted: so the kept rows are complete from the start.
    """

    def __init__(self, columns: int, capacity: int) -> None:
        self._indices: dict[str, int] = {}
        self._channels: list[str] = []
        self._channel = array("q")
        self._columns = tuple(array("q") for _ in range(columns))
        self._capacity = capacity
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._channel)

    def add(self, channel: str, *values: int) -> int | None:
        """The number of the row; None if there is no room for it."""
        if len(self._channel) >= self._capacity:
            self.dropped += 1
            return None
        index = self._indices.get(channel)
        if index is None:
            index = self._indices[channel] = len(self._channels)
            self._channels.append(channel)
        self._channel.append(index)
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        return len(self._channel) - 1

    def set(self, row: int, column: int, value: int) -> None:
        """Set a value that was not known when the row was added."""
        self._columns[column][row] = value

    def rows(self, offset: int, limit: int) -> list[tuple[Any, ...]]:
        names = [self._channels[index] for index in self._channel[offset : offset + limit]]
        return list(zip(names, *(column[offset : offset + limit] for column in self._columns), strict=True))


class DeliveredPart(Part):
    """The last column is a source; its rows show the name."""

    def rows(self, offset: int, limit: int) -> list[tuple[Any, ...]]:
        return [(*row[:-1], _SOURCES[row[-1]]) for row in super().rows(offset, limit)]


class StatePart:
    """The states of the connection for receiving from the backplane, with their times; a few rows in the life of a
    server."""

    CAPACITY = 10_000

    def __init__(self) -> None:
        self._rows: list[tuple[str, int]] = []
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, state: str) -> None:
        """From now on the state is ``up``, ``subscribed`` (every channel is confirmed) or ``down``."""
        if len(self._rows) < self.CAPACITY:
            self._rows.append((state, time.monotonic_ns()))
        else:
            self.dropped += 1

    def rows(self, offset: int, limit: int) -> list[tuple[Any, ...]]:
        return list(self._rows[offset : offset + limit])


class Trace:
    """``accepted``: channel, seq, accepted, committed, published. ``delivered``: channel, seq, received, written,
    sockets, source. ``backplane``: state, when. Times are nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, capacity: int) -> None:
        self.enabled = capacity > 0
        self.accepted = Part(4, capacity)
        self.delivered = DeliveredPart(5, capacity)
        self.backplane = StatePart()
        self.parts: dict[str, Part | StatePart] = {
            "accepted": self.accepted,
            "delivered": self.delivered,
            "backplane": self.backplane,
        }
