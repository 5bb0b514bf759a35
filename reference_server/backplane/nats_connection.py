"""One connection that speaks the client protocol of NATS: lines of text, and payloads by their length.

An asyncio Protocol of our own, because nats-py has a queue and a task for each subscription between socket and
callback.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

HANDSHAKE_TIMEOUT_S = 2.0
PING_INTERVAL_S = 2.0
LINE_LIMIT_BYTES = 65_536
"""No line is longer: INFO takes a few KB."""

OnMessage = Callable[[bytes, bytes], None]
"""(number of the subscription, payload)"""


class NatsConnection(asyncio.Protocol):
    def __init__(self, login: Mapping[str, str], on_message: OnMessage) -> None:
        loop = asyncio.get_running_loop()
        self._login = login
        self._on_message = on_message
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._received = False
        self._refusal = ""
        self._pongs: deque[Callable[[], None]] = deque()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[str] = loop.create_future()

    @classmethod
    async def open(cls, host: str, port: int, login: Mapping[str, str], on_message: OnMessage) -> Self:
        """A connection whose peer has accepted the login and answered a PING. ``login``: ``user`` and ``pass``, or
        ``auth_token``, or nothing. Raises OSError; TimeoutError is one."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            _, connection = await loop.create_connection(lambda: cls(login, on_message), host, port)
            try:
                await connection._ready
            except BaseException:
                connection.abort()
                raise
        return connection

    async def keep_alive(self) -> None:
        """Send PINGs for as long as the peer answers. Raise ConnectionError when the connection is lost, or when
        nothing arrived for a whole interval after a PING: a frozen process keeps its connections open."""
        while True:
            self._received = False
            self.ping(lambda: None)
            done, _ = await asyncio.wait((self._lost,), timeout=PING_INTERVAL_S)
            if done:
                raise ConnectionResetError(self._lost.result())
            if not self._received:
                raise ConnectionResetError(f"no answer for {PING_INTERVAL_S:.0f} s")

    @property
    def lost(self) -> bool:
        return self._lost.done()

    @property
    def waiting_bytes(self) -> int:
        assert self._transport is not None
        return self._transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        """Hand over complete commands; drop them if the connection is lost."""
        assert self._transport is not None
        if not self.lost:
            self._transport.write(data)

    def ping(self, on_pong: Callable[[], None]) -> None:
        """Call ``on_pong`` when the peer has handled everything that was sent before."""
        self._pongs.append(on_pong)
        self.send(b"PING\r\n")

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it

    def data_received(self, data: bytes) -> None:
        self._received = True
        try:
            self._rest = self._parse(self._rest + data if self._rest else data)
        except (ValueError, IndexError) as error:
            self._end(f"not a NATS server: {error}")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(self._refusal or (str(exc) if exc else "closed by the peer"))

    def _parse(self, data: bytes) -> bytes:
        """Handle every complete operation; return what is left. Raises ValueError and IndexError for anything else."""
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            if data.startswith(b"MSG ", at):
                _, _, number, *_, size = data[at:end].split()
                begin = end + 2
                stop = begin + int(size)
                if len(data) < stop + 2:
                    return data[at:]
                self._on_message(number, data[begin:stop])
                at = stop + 2
            else:
                self._on_line(data[at:end])
                at = end + 2
        if len(data) - at > LINE_LIMIT_BYTES:
            raise ValueError(f"a line of more than {LINE_LIMIT_BYTES} bytes")
        return data[at:]

    def _on_line(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        if verb == b"PONG":
            self._pongs.popleft()()
        elif verb == b"PING":
            self.send(b"PONG\r\n")
        elif verb == b"INFO":
            self._on_info(json.loads(rest))
        elif verb == b"-ERR":
            self._refusal = rest.decode("utf-8", "replace")
            if not self._ready.done():
                self._ready.set_exception(ConnectionRefusedError(self._refusal))
        elif verb != b"+OK":
            raise ValueError(f"unknown operation {verb[:20]!r}")

    def _on_info(self, info: Mapping[str, Any]) -> None:
        if self._ready.done() or self._pongs:
            return  # a later INFO names other servers of a cluster
        options = {"verbose": False, "pedantic": False, "echo": True, "lang": "python", "version": "1", "protocol": 1}
        self.send(b"CONNECT " + json.dumps({**options, **self._login}).encode() + b"\r\n")
        self.ping(self._accepted)

    def _accepted(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _end(self, why: str) -> None:
        if not self._ready.done():
            error = ConnectionRefusedError if self._refusal else ConnectionResetError
            self._ready.set_exception(error(why))
        if not self._lost.done():
            self._lost.set_result(why)
