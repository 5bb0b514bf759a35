"""The end of a connection whose peer reads nothing, with real sockets, without database and broker."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from uvicorn.server import ServerState

from reference_server.web import websocket_protocol
from reference_server.web.websocket_protocol import SOCKET, BroadcastWebSocket
from tests.reference_server.fakes import until

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE_FRAME = bytes((0x88, 0x82)) + bytes(4) + (1000).to_bytes(2)
CONTINUATION_OF_NOTHING = bytes((0x80, 0x80)) + bytes(4)
WAITING_BYTES = 4_000_000


class Served:
    """The application. It writes more than the kernel accepts, and receives until the end."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.left = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        protocol = scope["extensions"][SOCKET]
        protocol.on_end = lambda: setattr(self, "left", True)
        protocol.transport.write(bytes(WAITING_BYTES))
        self.protocol = protocol
        while (await receive())["type"] != "websocket.disconnect":
            pass


def known_to_the_kernel(port: int) -> bool:
    """Whether the kernel has a connection of the server at this port, with or without a process."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] != "0A" for row in rows)


def close_now(peer: socket.socket, protocol: BroadcastWebSocket) -> None:
    protocol.close_now(4008, "read too slowly")


def peer_closes(peer: socket.socket, protocol: BroadcastWebSocket) -> None:
    peer.sendall(CLOSE_FRAME)


def both_close(peer: socket.socket, protocol: BroadcastWebSocket) -> None:
    protocol.close_now(4008, "read too slowly")
    peer.sendall(CLOSE_FRAME)


def peer_breaks_the_protocol(peer: socket.socket, protocol: BroadcastWebSocket) -> None:
    peer.sendall(CONTINUATION_OF_NOTHING)


def peer_answers_no_ping(peer: socket.socket, protocol: BroadcastWebSocket) -> None:
    protocol.ping_timeout = 0.01
    protocol.send_keepalive_ping()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="asks Linux for its connections")
@pytest.mark.parametrize(
    "end",
    [close_now, peer_closes, both_close, peer_breaks_the_protocol, peer_answers_no_ping],
    ids=lambda end: end.__name__,
)
def test_a_peer_that_takes_nothing_is_aborted(
    end: Callable[[socket.socket, BroadcastWebSocket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection may end in five ways. After the time-out neither the server nor the kernel keeps anything for it.
    The gateway is called when the end begins."""
    monkeypatch.setattr(websocket_protocol, "CLOSE_TIMEOUT_S", 0.1)

    async def main() -> None:
        served, state = Served(), ServerState()
        config = uvicorn.Config(served, ws_per_message_deflate=False, log_config=None)
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: BroadcastWebSocket(config, state, {}), "127.0.0.1", 0)
        # The server must be closed also if the test fails. Otherwise the loop would wait for it for ever.
        with contextlib.closing(server), socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            port = server.sockets[0].getsockname()[1]
            peer.connect(("127.0.0.1", port))
            peer.sendall(HANDSHAKE)
            await until(lambda: served.protocol is not None)
            assert served.protocol.transport.get_write_buffer_size() > 0
            end(peer, served.protocol)
            await until(lambda: served.left)
            assert known_to_the_kernel(port)
            await until(lambda: not state.connections and not known_to_the_kernel(port))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
