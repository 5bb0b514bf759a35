"""A connection to Kafka that only shows whether the broker answers: the client library reconnects without a notice."""

import asyncio
import struct

ANSWER_TIMEOUT_S = 2.0
PING_INTERVAL_S = 2.0
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 0, -1)
"""length, ApiVersions, version 0, correlation id 0, no client id: every Kafka answers it before any login"""


class KafkaWatch:
    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "KafkaWatch":
        """A connection whose peer has answered. Raises OSError; TimeoutError is one."""
        watch = cls(host, port)
        await watch._ask()
        return watch

    async def keep_alive(self) -> None:
        """Send requests as long as the broker answers. Raise ConnectionError when the connection is lost, or after a
        request without an answer: a frozen process keeps its connections open."""
        while True:
            # The end of the connection is noticed at once, also between two requests.
            try:
                async with asyncio.timeout(PING_INTERVAL_S):
                    await self._reader.read(1)
                raise ConnectionResetError("closed by the broker")
            except TimeoutError:
                pass
            try:
                await self._ask()
            except TimeoutError:
                raise ConnectionResetError(f"no answer for {ANSWER_TIMEOUT_S:.0f} s") from None

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    async def _ask(self) -> None:
        """On a new connection: without a login Kafka answers one request."""
        self.abort()
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
            try:
                self._writer.write(_API_VERSIONS)
                (length,) = struct.unpack(">i", await self._reader.readexactly(4))
                await self._reader.readexactly(length)
            except asyncio.IncompleteReadError:
                self.abort()
                raise ConnectionResetError("closed by the broker") from None
            except BaseException:
                self.abort()
                raise
