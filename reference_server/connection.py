"""One client's WebSocket, as the gateway sees it: something to write frames to, and to shut when it reads too slowly."""

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reference_server.channel import Channel


class Socket(Protocol):
    """What the gateway needs of the WebSocket protocol object below it."""

    transport: asyncio.Transport
    writable: asyncio.Event
    """set while little waits to be written"""

    def close_now(self, code: int, reason: str) -> None:
        """Send a close frame behind what waits already, and cut the connection if that takes too long."""


class Connection:
    """``write`` takes complete frames; ``waiting_bytes()`` says how much the client has not taken yet.

    Both are the transport's own methods: they are called once per delivery, and everything in between would cost as much
    as they do.
    """

    __slots__ = ("channels", "closed", "socket", "waiting_bytes", "write")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.write = socket.transport.write
        self.waiting_bytes = socket.transport.get_write_buffer_size
        self.channels: dict[str, Channel] = {}
        self.closed = False
