"""The WebSocket of one client, as the gateway uses it: it writes frames to it, and closes it when the client is too
slow."""

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reference_server.gateway.channel import Channel


class Socket(Protocol):
    """What the gateway needs of the WebSocket protocol object (``web.websocket_protocol``)."""

    transport: asyncio.Transport
    writable: asyncio.Event
    """set while the transport takes more without queuing much"""

    def close_now(self, code: int, reason: str) -> None:
        """Send a close frame after the frames that wait already. Abort the connection if that takes too long."""


class Connection:
    """``write`` takes complete frames; ``waiting_bytes()`` says how many bytes still wait for the client.

    Both are methods of the transport itself. They are called once for each delivery, and a method in between would cost as
    much as they do.
    """

    __slots__ = ("channels", "closed", "socket", "waiting_bytes", "write")

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.write = socket.transport.write
        self.waiting_bytes = socket.transport.get_write_buffer_size
        self.channels: dict[str, Channel] = {}
        self.closed = False
