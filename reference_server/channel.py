"""One channel's order on this server: what was taken, what waits to be written, what came too early.

Pure bookkeeping, without a clock and without sockets.
"""

import asyncio
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from reference_server.connection import Connection
from reference_server.trace import LIVE, RECOVERED

HELD_LIMIT = 1_000
PENDING_LIMIT_BYTES = 8_388_608


class Arrival(Enum):
    """What became of a message that came from the backplane."""

    TAKEN = auto()
    REPEATED = auto()
    HELD = auto()
    """it came ahead of its turn and waits for those before it"""
    SHED = auto()
    """too much waits already; the database has it"""


class Delivery(NamedTuple):
    """A message on its way to the sockets; ``source`` as in the trace."""

    seq: int
    frame: bytes
    received_ns: int
    source: int


class Channel:
    """``position`` is the last seq taken in order, None until the database has named one; ``flushed`` the last that was
    handed to sockets. The messages between them are ``pending``.

    ``members`` have everything up to ``flushed`` and get every flush; those in ``ahead`` have more (their value says up to
    where) and get only what is new to them.
    """

    __slots__ = (
        "ahead",
        "dirty",
        "expected",
        "flushed",
        "grace",
        "held",
        "idle",
        "interest",
        "members",
        "name",
        "pending",
        "pending_bytes",
        "position",
        "subscribed",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.position: int | None = None
        self.flushed = 0
        self.expected = 0
        """the newest seq known to exist"""
        self.pending: list[Delivery] = []
        self.pending_bytes = 0
        self.held: dict[int, Delivery] = {}
        self.members: set[Connection] = set()
        self.ahead: dict[Connection, int] = {}
        self.interest = 0
        """how many connections are subscribed or about to be"""
        self.idle = False
        """nobody was interested at the last sweep"""
        self.dirty = False
        """in line for the next flush"""
        self.subscribed = asyncio.Event()
        """the backplane delivers this channel"""
        self.grace: asyncio.TimerHandle | None = None
        """runs while a message is missed that may still be on its way"""

    @property
    def behind(self) -> bool:
        """Whether a message is known to exist that was not taken yet."""
        return self.position is not None and self.position < self.expected

    def offer(self, seq: int, frame: bytes, received_ns: int) -> Arrival:
        """A message came from the backplane, in whatever order."""
        if seq > self.expected:
            self.expected = seq
        position = self.position
        if position is not None and seq <= position:
            return Arrival.REPEATED
        delivery = Delivery(seq, frame, received_ns, LIVE)
        if position is None or seq > position + 1:
            if seq in self.held:
                return Arrival.REPEATED
            if len(self.held) >= HELD_LIMIT:
                return Arrival.SHED
            self.held[seq] = delivery
            return Arrival.HELD
        if self.pending_bytes > PENDING_LIMIT_BYTES:
            return Arrival.SHED
        self._take(delivery)
        self._take_held()
        return Arrival.TAKEN

    def settle(self, newest: int) -> None:
        """The database says which seq is the newest. The first time, this is where the channel starts."""
        self.expected = max(self.expected, newest)
        if self.position is None:
            self.position = self.flushed = newest
            self._take_held()

    def recover(self, rows: Iterable[tuple[int, bytes]], received_ns: int) -> int:
        """Messages read from the database, in order and without a gap. Returns how many were news."""
        news = 0
        for seq, frame in rows:
            if self.position is not None and seq == self.position + 1 and self.pending_bytes <= PENDING_LIMIT_BYTES:
                held = self.held.pop(seq, None)
                self._take(held or Delivery(seq, frame, received_ns, RECOVERED))
                news += held is None
        self._take_held()
        return news

    def skip(self) -> int:
        """Give up waiting and go on with the oldest message that came early. Returns how many are lost."""
        if self.position is None or not self.held:
            return 0
        lost = min(self.held) - self.position - 1
        self.position += lost
        self._take_held()
        return lost

    def take_pending(self, limit_bytes: int) -> list[Delivery]:
        """Remove and return what is to be written next: all that waits, or its beginning where it is over the limit."""
        batch = self.pending
        if self.pending_bytes <= limit_bytes:
            self.pending = []
            self.pending_bytes = 0
        else:
            size = count = 0
            while count < len(batch) and (count == 0 or size + len(batch[count].frame) <= limit_bytes):
                size += len(batch[count].frame)
                count += 1
            batch, self.pending = batch[:count], batch[count:]
            self.pending_bytes -= size
        self.flushed = batch[-1].seq
        return batch

    def _take(self, delivery: Delivery) -> None:
        self.position = delivery.seq
        self.pending.append(delivery)
        self.pending_bytes += len(delivery.frame)

    def _take_held(self) -> None:
        if not self.held or self.position is None:
            return
        while (delivery := self.held.pop(self.position + 1, None)) is not None:
            self._take(delivery)
        if self.held and min(self.held) <= self.position:
            position = self.position
            self.held = {seq: held for seq, held in self.held.items() if seq > position}
