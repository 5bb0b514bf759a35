"""uvicorn, configured for this server: the listening socket, the protocols and the signals."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from reference_server.settings import Settings
from reference_server.web.application import Application
from reference_server.web.http_protocol import GatheringHttp
from reference_server.web.websocket_protocol import BroadcastWebSocket

BACKLOG = 4_096
PING_S = 25.0
"""Well below 60 s: many proxies close a connection after 60 s without a byte."""
PONG_S = 30.0


class CannotListen(Exception):
    """The address cannot be used; the message names it and the reason."""


def listen(host: str, port: int, send_buffer_bytes: int) -> socket.socket:
    """Bind the address before anything else is started. A client that connects early waits until the server is ready.

    Raises CannotListen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot use the address {host}:{port}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)  # connections inherit it
        listener.bind(address)
        # On Linux several sockets can be bound to a free address with SO_REUSEADDR; only one can listen.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


class WebServer(uvicorn.Server):
    """Returns after a signal; uvicorn's own server would end the process by raising the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
        # The handlers stay until the loop is closed: a second signal during the shutdown must not kill the process.


def web_server(settings: Settings, application: Application) -> WebServer:
    return WebServer(
        uvicorn.Config(
            application,
            http=GatheringHttp,
            ws=BroadcastWebSocket,
            ws_max_size=settings.limits.frame_bytes,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PONG_S,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )
