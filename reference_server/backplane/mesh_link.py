"""One link of the mesh: a TCP connection between two servers that speaks in length-prefixed frames.

A frame is 4 bytes of length, 1 byte of kind, and a body: JSON, or for a batch of messages a sequence of (2 bytes length
of the channel, channel, 8 bytes seq, 4 bytes length of the frame, frame). All numbers are big-endian.
"""

import asyncio
import hmac
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import msgspec

from reference_server.backplane.base import Outgoing

HELLO, INTEREST, ACKNOWLEDGE, BATCH, NEWER, PING = b"H", b"I", b"A", b"B", b"N", b"P"
FRAME_LIMIT_BYTES = 67_108_864
HELLO_LIMIT_BYTES = 4_096
WRITE_LIMIT_BYTES = 4_194_304
_HEAD = struct.Struct("!Ic")
_CHANNEL, _MESSAGE = struct.Struct("!H"), struct.Struct("!QI")


class Hello(msgspec.Struct, frozen=True):
    name: str
    token: str


class Interest(msgspec.Struct, frozen=True):
    """``number`` is what the other end acknowledges; ``full`` replaces everything that was sent before."""

    number: int
    full: bool
    add: list[str] = []
    remove: list[str] = []


def encoded(message: Outgoing) -> bytes:
    name = message.channel.encode()
    return b"".join((_CHANNEL.pack(len(name)), name, _MESSAGE.pack(message.seq, len(message.frame)), message.frame))


def decoded(body: bytes) -> Iterator[Outgoing]:
    """Raises struct.error or UnicodeDecodeError for bytes that ``encoded`` did not make."""
    at = 0
    while at < len(body):
        (length,) = _CHANNEL.unpack_from(body, at)
        at += _CHANNEL.size
        channel = body[at : at + length].decode()
        at += length
        seq, length = _MESSAGE.unpack_from(body, at)
        at += _MESSAGE.size
        yield Outgoing(channel, seq, body[at : at + length])
        at += length


class MeshLink(asyncio.Protocol):
    """``opened`` is called when the other end has proved that it has the token, ``received`` for each frame after that,
    ``closed`` once in the end. Both ends send HELLO; the connecting end sends it first."""

    def __init__(
        self,
        own: Hello,
        *,
        dialled: str | None,
        opened: Callable[["MeshLink"], None],
        received: Callable[["MeshLink", bytes, bytes], None],
        closed: Callable[["MeshLink"], None],
    ) -> None:
        self._own = own
        self._dialled = dialled
        self._opened = opened
        self._received = received
        self._closed = closed
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.peer = ""
        """the name of the other end, empty until its HELLO"""
        self.interest: set[str] = set()
        """the channels that the other end wants"""
        self.acknowledged = 0
        """the last number of our interest that the other end knows"""
        self.missed: dict[str, int] = {}
        """channel → the newest seq that was dropped because too much waited"""
        self.heard_s = time.monotonic()
        self.sent_bytes = self.received_bytes = 0
        self.ended = asyncio.Event()

    @property
    def full(self) -> bool:
        return self._transport is None or self._transport.get_write_buffer_size() > WRITE_LIMIT_BYTES

    def send(self, kind: bytes, body: bytes = b"") -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_HEAD.pack(len(body), kind) + body)
        self.sent_bytes += _HEAD.size + len(body)

    def send_messages(self, messages: Iterable[tuple[Outgoing, bytes]]) -> int:
        """Send the messages that the other end wants. If too much waits, drop them, and announce later what it must
        read from the log. Returns how many were dropped."""
        wanted = [(message, data) for message, data in messages if message.channel in self.interest]
        if not wanted:
            return 0
        if self.full:
            self.missed.update((message.channel, message.seq) for message, _ in wanted)
            return len(wanted)
        self.send_missed()
        self.send(BATCH, b"".join(data for _, data in wanted))
        return 0

    def send_missed(self) -> None:
        if self.missed and not self.full:
            self.send(NEWER, msgspec.json.encode(self.missed))
            self.missed = {}

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def abort_without_hello(self) -> None:
        if not self.peer:
            self.abort()

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._dialled is not None:
            self.send(HELLO, msgspec.json.encode(self._own))

    def data_received(self, data: bytes) -> None:
        self.heard_s = time.monotonic()
        self.received_bytes += len(data)
        self._buffer += data
        try:
            self._take_frames()
        except (msgspec.MsgspecError, struct.error, ValueError):
            self.abort()  # the other end is not a server of this mesh

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.ended.set()
        if self.peer:
            self._closed(self)

    def _take_frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= _HEAD.size:
            length, kind = _HEAD.unpack_from(buffer, at)
            if length > (FRAME_LIMIT_BYTES if self.peer else HELLO_LIMIT_BYTES):
                raise ValueError("frame too long")
            end = at + _HEAD.size + length
            if len(buffer) < end:
                break
            body = bytes(buffer[at + _HEAD.size : end])
            at = end
            if self.peer:
                self._received(self, kind, body)
            else:
                self._greet(kind, body)
        del buffer[:at]

    def _greet(self, kind: bytes, body: bytes) -> None:
        hello = msgspec.json.decode(body, type=Hello)
        known = hmac.compare_digest(hello.token.encode(), self._own.token.encode())
        if kind != HELLO or not known or (self._dialled is not None and hello.name != self._dialled):
            raise ValueError("not a server of this mesh")
        if self._dialled is None:
            self.send(HELLO, msgspec.json.encode(self._own))
        self.peer = hello.name
        self._opened(self)


def interest_of(body: bytes) -> Interest:
    return msgspec.json.decode(body, type=Interest)


def number_of(body: bytes) -> int:
    return msgspec.json.decode(body, type=int)


def newest_of(body: bytes) -> dict[str, int]:
    return msgspec.json.decode(body, type=dict[str, int])


def packed(value: Any) -> bytes:
    return msgspec.json.encode(value)
