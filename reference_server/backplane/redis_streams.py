"""Redis Streams: a fixed number of streams, each channel in one of them; every server reads all streams from its own
position, without consumer groups.

An entry has the channel and, as in Pub/Sub, 8 bytes of seq and the finished frame. The streams are bounded, so after a
long absence, or after Redis was started again empty, a server reads the rest from the message log. Each server gets
every message, whether it has subscribers or not: that is the price of one position for many channels.
"""

import asyncio
import logging
import zlib
from collections.abc import Collection, Sequence
from typing import Any

import hiredis

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.backplane.reconnection import Reconnection
from reference_server.backplane.redis_publisher import Redis, RedisPublisher, connect
from reference_server.backplane.resp_connection import HANDSHAKE_TIMEOUT_S, PING_INTERVAL_S, RespConnection
from reference_server.metrics import Metrics

BLOCK_MS = int(PING_INTERVAL_S * 1000 / 4)
"""How long a read waits for a message. Shorter than the interval of PINGs, which are answered only after it."""
BEGINNING = b"0-0"

_log = logging.getLogger(__name__)


class RedisStreamsSection(Redis, frozen=True, kw_only=True):
    """The address of Redis, and the settings of the streams, which are the same at every server. ``entries`` are kept
    of each stream, approximately; one read takes at most ``read_count`` of each."""

    streams: int = 16
    entries: int = 10_000
    read_count: int = 100


class RedisStreams:
    def __init__(self, section: RedisStreamsSection, metrics: Metrics) -> None:
        self._section = section
        self._receiver: Receiver
        self._publisher = RedisPublisher(section, metrics)
        self._keys = [b"chat-stream:%d" % number for number in range(section.streams)]
        self._positions: dict[bytes, bytes] = {}
        """the id of the last entry read, by stream; empty before the first connection"""
        self._reader: RespConnection | None = None
        self._reading = False
        self._answers: list[Any] | None = None
        self._answered = asyncio.Event()
        self._goal: dict[bytes, bytes] = {}
        """the newest ids at the last connection: until they are read, the channels are not confirmed"""
        self._channels: set[str] = set()

    @property
    def up(self) -> bool:
        return self._publisher.up and self._reading

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        reconnection = Reconnection()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publisher.run(reconnection))
            tasks.create_task(
                reconnection.keep("reader", lambda: connect(self._section, self._on_replies), self._serve_reader)
            )

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        limit = str(self._section.entries)
        return self._publisher.send(
            [
                (
                    *("XADD", self._keys[zlib.crc32(name := channel.encode()) % len(self._keys)]),
                    *("MAXLEN", "~", limit, "*", name, seq.to_bytes(8) + frame),
                )
                for channel, seq, frame in messages
            ]
        )

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._reading and not self._goal:
            self._receiver.on_subscribed(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)

    # The connection that reads.

    async def _serve_reader(self, connection: RespConnection) -> None:
        self._reader = connection
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await self._find_positions(connection)
            self._reading = True
            self._receiver.on_state(True)
            self._confirm_when_read()
            self._read_on()
            await connection.keep_alive()
        finally:
            self._reader = None
            self._answers = None
            if self._reading:
                self._reading = False
                self._receiver.on_state(False)

    async def _find_positions(self, connection: RespConnection) -> None:
        """Continue after the last entry read if its stream still has it: then nothing after it is lost, because Redis
        trims the oldest entries first. Else begin with what is published from now on."""
        known = bool(self._positions)
        newest = await self._ask(connection, [("XREVRANGE", key, "+", "-", "COUNT", "1") for key in self._keys])
        self._goal = {key: found[0][0] if found else BEGINNING for key, found in zip(self._keys, newest, strict=True)}
        kept: list[Any] = [None] * len(self._keys)
        if known:
            ranges = [("XRANGE", key, self._positions[key], self._positions[key]) for key in self._keys]
            kept = await self._ask(connection, ranges)
        for key, found in zip(self._keys, kept, strict=True):
            # A stream that was empty, and is empty now, has lost nothing either; its goal is its beginning.
            if not found:
                if known and self._positions[key] != self._goal[key]:
                    _log.warning("%s no longer has entry %s", key.decode(), self._positions[key].decode())
                self._positions[key] = self._goal[key]

    async def _ask(self, connection: RespConnection, commands: Sequence[tuple[str | bytes, ...]]) -> list[Any]:
        """The replies to these commands. Raises OSError where Redis refuses one."""
        answers: list[Any] = []
        self._answers = answers
        self._answered.clear()
        connection.send(*commands)
        while len(answers) < len(commands):
            if connection.lost:
                raise ConnectionResetError("lost while the positions were read")
            self._answered.clear()
            await self._answered.wait()
        self._answers = None
        if refused := next((answer for answer in answers if isinstance(answer, hiredis.ReplyError)), None):
            raise ConnectionRefusedError(str(refused))
        return answers

    def _read_on(self) -> None:
        if self._reader is not None:
            options = ("XREAD", "COUNT", str(self._section.read_count), "BLOCK", str(BLOCK_MS), "STREAMS")
            self._reader.send((*options, *self._keys, *(self._positions[key] for key in self._keys)))

    def _on_replies(self, replies: list[Any]) -> None:
        if self._answers is not None:
            self._answers += replies
            self._answered.set()
            return
        for reply in replies:
            if reply == b"PONG":
                continue
            if isinstance(reply, hiredis.ReplyError):
                _log.warning("backplane refused a read: %s", reply)
                if self._reader is not None:
                    self._reader.abort()
                return
            self._take(reply or [])
            self._read_on()

    def _take(self, streams: list[Any]) -> None:
        """``streams``: (key, entries), an entry being (id, [channel, payload])."""
        for key, entries in streams:
            for _, (name, payload) in entries:
                self._receiver.on_message(name.decode(), int.from_bytes(payload[:8]), payload[8:])
            self._positions[key] = entries[-1][0]
        if self._goal:
            self._confirm_when_read()

    def _confirm_when_read(self) -> None:
        """Confirm the channels when every entry is read that was there at the connection: the server need not read
        these from the message log."""
        if all(_parts(self._positions[key]) >= _parts(newest) for key, newest in self._goal.items()):
            self._goal = {}
            self._receiver.on_subscribed(self._channels)


def _parts(entry: bytes) -> tuple[int, int]:
    """An entry's id as two numbers that compare in its order."""
    time_ms, _, number = entry.partition(b"-")
    return int(time_ms), int(number)


def _build(section: RedisStreamsSection, context: BackplaneContext) -> RedisStreams:
    return RedisStreams(section, context.metrics)


KIND = BackplaneKind(name="redis-streams", section=RedisStreamsSection, broker="redis", build=_build)
