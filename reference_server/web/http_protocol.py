"""uvicorn's HTTP protocol, with each answer written in one piece."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class GatheringHttp(HttpToolsProtocol):
    """uvicorn writes the head and the body of an answer one after the other, and uvloop sends each at once: two system
    calls here and two reads at the client. Gathered, they are one system call and one read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio names a wider type
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]  # a stand-in

    def handle_websocket_upgrade(self) -> None:
        assert isinstance(self.transport, _Gathering)
        self.transport = self.transport.plain
        super().handle_websocket_upgrade()


class _Gathering:
    """A transport that keeps what is written until the next iteration of the loop."""

    __slots__ = ("_chunks", "_loop", "plain")

    def __init__(self, plain: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = plain
        self._loop = loop
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._chunks:
            self._loop.call_soon(self._send)
        self._chunks.append(data)

    def close(self) -> None:
        self._send()
        self.plain.close()

    def _send(self) -> None:
        chunks, self._chunks = self._chunks, []
        if chunks and not self.plain.is_closing():
            self.plain.write(b"".join(chunks))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)
