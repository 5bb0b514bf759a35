"""uvicorn's WebSocket protocol with two additions: the gateway writes to its transport, and is called before its
end."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

SOCKET = "reference_server.socket"
"""the key under which an endpoint finds this object in the ``extensions`` of the ASGI scope"""

CLOSE_TIMEOUT_S = 3.0

_DISCARD = struct.pack("ii", 1, 0)


class BroadcastWebSocket(WebSocketsSansIOProtocol):
    """uvicorn and websockets handle handshake, ping, close and receiving.

    A frame written straight to ``transport`` costs only the system call (10.5 µs), against 25 µs through ``send``. Such
    frames are complete, unmasked text frames. ``on_end`` is called before the last frame is written. In every case of
    an end, the connection is aborted ``CLOSE_TIMEOUT_S`` later if the peer has not read the rest by then. A transport
    that is only closed would keep its buffers as long as the peer does not read.
    """

    on_end: Callable[[], None] | None = None
    _abort_timer: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        extensions = self.scope["extensions"]
        assert extensions is not None
        extensions[SOCKET] = self  # type: ignore[assignment]  # extensions are ours to define, not only dictionaries
        await super().run_asgi()

    def close_now(self, code: int, reason: str) -> None:
        """Send a close frame after the frames that wait already, without waiting for it."""
        self._signal_end()
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:  # otherwise the close frame of the client would not be read
            self.read_paused = False
            self.transport.resume_reading()
        # uvicorn closes at once when the application has ended, unless it sees its own timer.
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT_S, self._abort)

    def send_receive_event_to_app(self) -> None:
        """A text message that is not UTF-8 ends the connection with 1007. uvicorn would log a traceback for this
        mistake of a client."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def shutdown(self) -> None:
        self._signal_end()
        super().shutdown()

    def handle_close(self, event: Frame) -> None:
        self._signal_end()
        super().handle_close(event)

    def handle_parser_exception(self) -> None:
        self._signal_end()
        super().handle_parser_exception()

    def keepalive_timeout(self) -> None:
        self._signal_end()
        super().keepalive_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        self._signal_end()
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        super().connection_lost(exc)

    def _signal_end(self) -> None:
        if self._abort_timer is None:
            self._abort_timer = self.loop.call_later(CLOSE_TIMEOUT_S, self._abort)
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()

    def _abort(self) -> None:
        """Drop the bytes that wait in the transport, and make the kernel drop those in its buffer: the kernel would
        keep them for minutes if the peer acknowledges but does not read."""
        if self.disconnected:
            return  # its descriptor may already belong to another connection
        with suppress(OSError):
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DISCARD)
        self.transport.abort()
