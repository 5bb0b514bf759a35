"""Writes pending messages to the sockets of their subscribers: joined per channel, paced by the cost of writing."""

import asyncio
import math
import time

from reference_server.gateway.channel import Channel, Delivery
from reference_server.gateway.client_connection import Connection
from reference_server.gateway.pacing import Pacing
from reference_server.metrics import Metrics
from reference_server.server_trace import GAP, Trace

CHUNK_BYTES = 262_144
"""How much of one channel is written at once. A client that keeps up can take it, however much was recovered."""

BACKLOG_POLL_S = 0.01
NO_PROGRESS_LIMIT_S = 2.0
BACKLOG_LIMIT_S = 5.0
"""The rest of a backlog waits until all subscribers have room for it: at most this long, and at most
NO_PROGRESS_LIMIT_S for clients that read nothing. A client that reads nothing at all delays a backlog at most four
times: then more bytes wait for it than the limit allows."""

SLOW_CONSUMER = 4008

TIMER_RESOLUTION_S = 0.001
"""uvloop counts in milliseconds: a timer that is less than one late was on time."""


class FanOut:
    """Closes a slow consumer, whose waiting bytes exceed the limit. The other clients are not affected."""

    def __init__(self, *, waiting_limit_bytes: int, trace: Trace, metrics: Metrics) -> None:
        self._waiting_limit_bytes = waiting_limit_bytes
        self._trace = trace
        self._metrics = metrics
        self._pacing = Pacing()
        self._dirty: list[Channel] = []
        self._scheduled = False
        self._lateness_s = 0.0
        self._failed = asyncio.Event()
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Watch the flushes until cancelled. Raises the error of a failed flush: a server that cannot deliver must end,
        so that its clients go to another one."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    def add(self, channel: Channel) -> None:
        """Write the pending messages of this channel with the next flush: at once, or at the end of the pause."""
        if channel.dirty or not channel.pending:
            return
        channel.dirty = True
        self._dirty.append(channel)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        try:
            self._write_dirty()
        except Exception as error:
            self._failure = error
            self._failed.set()

    def _write_dirty(self) -> None:
        started_s = time.monotonic()
        dirty, self._dirty = self._dirty, []
        slow: list[Connection] = []
        for channel in dirty:
            self._write(channel, slow)
        for connection in slow:
            if not connection.closed:
                self._metrics.slow_consumers += 1
                connection.socket.close_now(SLOW_CONSUMER, "read too slowly")
        for channel in dirty:
            if channel.pending:
                self._continue_backlog(channel, _BacklogWait(started_s))
            else:
                channel.dirty = False
        flush_s = time.monotonic() - started_s
        self._metrics.flushes.add(flush_s)
        self._pause(self._pacing.pause_after(flush_s / len(dirty), self._lateness_s))

    def _continue_backlog(self, channel: Channel, wait: "_BacklogWait") -> None:
        """Write the rest of a backlog with the next flush, or look again a little later."""
        room = self._waiting_limit_bytes - CHUNK_BYTES
        full_bytes = sum([size for member in channel.members if (size := member.waiting_bytes()) > room])
        if wait.goes_on(full_bytes, time.monotonic()):
            asyncio.get_running_loop().call_later(BACKLOG_POLL_S, self._continue_backlog, channel, wait)
        else:
            channel.dirty = False
            self.add(channel)

    def _write(self, channel: Channel, slow: list[Connection]) -> None:
        batch = channel.take_pending(CHUNK_BYTES)
        chunk = _join(batch)
        limit = self._waiting_limit_bytes
        members = channel.members
        for connection in members:
            connection.write(chunk)
            if connection.waiting_bytes() > limit:
                slow.append(connection)
        written = len(batch) * len(members)
        # A few connections at most, for a moment after they resumed. They are counted message by message.
        ahead = self._write_ahead(channel, batch, slow) if channel.ahead else ()
        written_ns = time.monotonic_ns()
        for seq, _, received_ns, source in batch:
            sockets = len(members) + sum(position < seq for position in ahead)
            if sockets and source != GAP:
                self._trace.delivered.add(channel.name, seq, received_ns, written_ns, sockets, source)
            written += sockets - len(members)
        self._metrics.deliveries += written
        for connection in [connection for connection, seq in channel.ahead.items() if seq <= channel.flushed]:
            del channel.ahead[connection]
            members.add(connection)

    def _write_ahead(self, channel: Channel, batch: list[Delivery], slow: list[Connection]) -> list[int]:
        for connection, position in channel.ahead.items():
            if news := [delivery for delivery in batch if delivery.seq > position]:
                connection.write(_join(news))
                if connection.waiting_bytes() > self._waiting_limit_bytes:
                    slow.append(connection)
        return list(channel.ahead.values())

    def _pause(self, pause_s: float) -> None:
        self._metrics.flush_pause_s = pause_s
        self._lateness_s = 0.0
        loop = asyncio.get_running_loop()
        if pause_s > 0:
            loop.call_later(pause_s, self._end_pause, time.monotonic() + pause_s)
        elif self._dirty:
            loop.call_soon(self._flush)
        else:
            self._scheduled = False

    def _end_pause(self, due_s: float) -> None:
        self._lateness_s = max(0.0, time.monotonic() - due_s - TIMER_RESOLUTION_S)
        if self._dirty:
            self._flush()
        else:
            self._scheduled = False


class _BacklogWait:
    """How long a backlog has waited for its subscribers."""

    __slots__ = ("_least_bytes", "_progress_s", "_since_s")

    def __init__(self, now_s: float) -> None:
        self._since_s = self._progress_s = now_s
        self._least_bytes: float = math.inf

    def goes_on(self, full_bytes: int, now_s: float) -> bool:
        """Whether to wait longer. ``full_bytes`` is how many bytes wait for the clients that have no room."""
        if full_bytes < self._least_bytes:
            self._least_bytes = full_bytes
            self._progress_s = now_s
        within_limits = now_s - self._progress_s < NO_PROGRESS_LIMIT_S and now_s - self._since_s < BACKLOG_LIMIT_S
        return full_bytes > 0 and within_limits


def _join(batch: list[Delivery]) -> bytes:
    return batch[0].frame if len(batch) == 1 else b"".join([delivery.frame for delivery in batch])
