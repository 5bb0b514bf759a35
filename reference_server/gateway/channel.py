"""The order of one channel on this server: which messages were taken, which wait for the sockets, which arrived too
early.

Pure bookkeeping, without a clock and without sockets. It relies on the order that ``message_log.base.Log`` promises:
the next seq is the next message, so a gap means that a message is missing.
"""

import asyncio
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from reference_server.gateway.client_connection import Connection
from reference_server.protocol.server_events import is_gap
from reference_server.server_trace import GAP, LIVE, RECOVERED

HELD_LIMIT = 1_000
PENDING_LIMIT_BYTES = 8_388_608


class Arrival(Enum):
    """The outcome of a message that arrived from the backplane."""

    TAKEN = auto()
    REPEATED = auto()
    HELD = auto()
    """it arrived too early and waits for the messages before it"""
    SHED = auto()
    """too many messages wait already; the log has this one"""


class Delivery(NamedTuple):
    """A message on its way to the sockets; ``source`` as in the trace."""

    seq: int
    frame: bytes
    received_ns: int
    source: int


class Channel:
    """``position`` is the last seq taken in order; it is None until the channel has started. ``flushed`` is the last
    seq that was written to sockets. The messages between them are ``pending``.

    ``members`` have everything up to ``flushed`` and get every flush. The connections in ``ahead`` have more (the value
    is their last seq) and get only the messages after it.
    """

    __slots__ = (
        "ahead",
        "announced",
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
        self.announced = 0
        """the newest seq that the backplane announced without bringing its frame"""
        self.pending: list[Delivery] = []
        self.pending_bytes = 0
        self.held: dict[int, Delivery] = {}
        self.members: set[Connection] = set()
        self.ahead: dict[Connection, int] = {}
        self.interest = 0
        """how many connections are subscribed or about to be"""
        self.idle = False
        """no connection used the channel at the last sweep"""
        self.dirty = False
        """part of the next flush"""
        self.subscribed = asyncio.Event()
        """the backplane delivers this channel"""
        self.grace: asyncio.TimerHandle | None = None
        """runs while a missing message may still be on its way"""

    @property
    def behind(self) -> bool:
        """Whether a message exists, as far as is known, that was not taken yet."""
        return self.position is not None and self.position < self.expected

    @property
    def announced_more(self) -> bool:
        """Whether the backplane announced a message that was not taken yet."""
        return self.position is not None and self.position < self.announced

    def offer(self, seq: int, frame: bytes, received_ns: int) -> Arrival:
        """A message came from the backplane, in any order."""
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

    def announce(self, seq: int) -> bool:
        """The backplane says that the log holds the messages up to ``seq``. Returns whether that was new."""
        if seq <= self.announced or (self.position is not None and seq <= self.position):
            return False
        self.announced = seq
        self.expect(seq)
        return True

    def start(self, newest: int) -> None:
        """Begin at the newest committed seq, unless the channel has started already."""
        self.expect(newest)
        if self.position is None:
            self.position = self.flushed = newest
            self._take_held()

    def expect(self, newest: int) -> None:
        """The log holds the messages up to ``newest``."""
        if newest > self.expected:
            self.expected = newest

    def recover(self, rows: Iterable[tuple[int, bytes]], received_ns: int, source: int = RECOVERED) -> int:
        """Take messages that were read from the log, in order and without a gap. Returns how many were new."""
        news = 0
        for seq, frame in rows:
            if self.position is not None and seq == self.position + 1 and self.pending_bytes <= PENDING_LIMIT_BYTES:
                held = self.held.pop(seq, None)
                self._take(held or Delivery(seq, frame, received_ns, GAP if is_gap(frame) else source))
                news += held is None
        self._take_held()
        return news

    def skip(self, shown_before_ns: int) -> int:
        """Continue after every hole that a later message has shown since ``shown_before_ns`` or earlier. Returns how
        many messages are lost."""
        shown = [seq for seq, delivery in self.held.items() if delivery.received_ns <= shown_before_ns]
        if self.position is None or not shown:
            return 0
        lost = 0
        for seq in sorted(seq for seq in self.held if seq <= max(shown)):
            lost += seq - self.position - 1
            self._take(self.held.pop(seq))
        self._take_held()
        return lost

    def take_pending(self, limit_bytes: int) -> list[Delivery]:
        """Remove and return what is written next: all pending messages, or the first ones where all are over the
        limit."""
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
