"""One connection that speaks RESP2, the protocol of Redis and Valkey.

An asyncio Protocol on top of hiredis: a message costs 4 to 19 µs of CPU, against 56 µs with redis-py's asyncio client.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self, cast

import hiredis

HANDSHAKE_TIMEOUT_S = 2.0
PING_INTERVAL_S = 2.0

Command = tuple[str | bytes, ...]
OnReplies = Callable[[list[Any]], None]


class RespConnection(asyncio.Protocol):
    """``on_replies`` gets the replies that arrived together as one list; an error is a ``hiredis.ReplyError``."""

    def __init__(self, login: Command | None, on_replies: OnReplies) -> None:
        loop = asyncio.get_running_loop()
        self._handshake: tuple[Command, ...] = (("PING",),) if login is None else (("AUTH", *login), ("PING",))
        self._on_replies = on_replies
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._received = False
        self._ready: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[str] = loop.create_future()

    @classmethod
    async def open(cls, host: str, port: int, login: Command | None, on_replies: OnReplies) -> Self:
        """A connection whose peer has accepted the login and answered a PING. Raises OSError; TimeoutError is one."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            _, connection = await loop.create_connection(lambda: cls(login, on_replies), host, port)
            try:
                await connection._ready
            except BaseException:
                connection.abort()
                raise
        return connection

    async def keep_alive(self) -> None:
        """Send PINGs for as long as the peer answers. Raise ConnectionError when the connection is lost, or when nothing
        arrived for a whole interval after a PING: a frozen process keeps its connections open."""
        while True:
            self._received = False
            self.send(("PING",))
            done, _ = await asyncio.wait((self._lost,), timeout=PING_INTERVAL_S)
            if done:
                raise ConnectionResetError(self._lost.result())
            if not self._received:
                raise ConnectionResetError(f"no answer for {PING_INTERVAL_S:.0f} s")

    @property
    def lost(self) -> bool:
        return self._lost.done()

    def send(self, *commands: Command) -> None:
        """Hand over the commands; drop them if the connection is lost. uvloop would raise there, asyncio would not."""
        assert self._transport is not None
        if self.lost:
            return
        # hiredis's own stub says that a command has exactly one word
        self._transport.write(b"".join([hiredis.pack_command(command) for command in commands]))  # type: ignore[arg-type]  # bytes

    @property
    def waiting_bytes(self) -> int:
        assert self._transport is not None
        return self._transport.get_write_buffer_size()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it
        self.send(*self._handshake)

    def data_received(self, data: bytes) -> None:
        self._received = True
        self._reader.feed(data)
        replies: list[Any] = []
        try:
            # RESP2 has no booleans: False means that the rest of a reply has not arrived yet.
            while (reply := self._reader.gets()) is not False:
                replies.append(reply)
        except hiredis.ProtocolError as error:
            self._end(f"not a Redis server: {error}")
            self.abort()
        if self._ready.done():
            self._on_replies(replies)
        else:
            self._finish_handshake(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "closed by the peer")

    def _finish_handshake(self, replies: list[Any]) -> None:
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                self._ready.set_exception(ConnectionRefusedError(str(reply)))
                return
            if reply == b"PONG":
                self._ready.set_result(None)
                return

    def _end(self, why: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ConnectionResetError(why))
        if not self._lost.done():
            self._lost.set_result(why)
