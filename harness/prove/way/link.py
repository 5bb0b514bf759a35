"""One client's WebSocket on its way through the proxy."""

import asyncio
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True, eq=False)
class Link:
    """``number`` counts connections from 0, ``server`` is its server's index. ``channel`` is empty until the server has
    confirmed the subscription."""

    number: int
    server: int
    downstream: asyncio.StreamWriter
    channel: str = ""

    def write(self, data: bytes) -> None:
        """Send to the client. Does nothing on a connection that is gone."""
        if not self.downstream.is_closing():
            self.downstream.write(data)

    def cut(self) -> None:
        """End the connection with a TCP reset."""
        self.downstream.transport.abort()
