"""One server: its parts, put together, started in order and stopped in the reverse order."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Coroutine, Iterator
from typing import Any

import uvicorn

from reference_server.app import Application
from reference_server.backplane.base import Backplane
from reference_server.backplane.memory import MemoryBackplane
from reference_server.backplane.redis_pubsub import RedisPubSub
from reference_server.catch_up import CatchUp
from reference_server.fan_out import FanOut
from reference_server.gateway import Gateway
from reference_server.housekeeping import keep_house
from reference_server.http_protocol import GatheringHttp
from reference_server.link import DatabaseError
from reference_server.metrics import Metrics
from reference_server.posting import Posting
from reference_server.reading import Reading
from reference_server.rebroadcast import Rebroadcast
from reference_server.session import Sessions
from reference_server.settings import Settings
from reference_server.store import Store
from reference_server.trace import Trace
from reference_server.websocket_protocol import BroadcastWebSocket
from reference_server.wire import Requests
from reference_server.write_path import WritePath

BACKLOG = 4_096
DATABASE_PATIENCE_S = 10.0

_log = logging.getLogger(__name__)


class CannotStart(Exception):
    """The machine or the database did not do its part; the message says what was tried and what happened."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotStart; and whatever a background task died of, after shutting down."""
    listener = _bind(settings.host, settings.port, settings.limits.send_buffer_bytes)
    store = Store(settings)
    try:
        try:
            await store.start(DATABASE_PATIENCE_S)
        except DatabaseError as error:
            raise CannotStart(f"PostgreSQL could not be reached for {DATABASE_PATIENCE_S:.0f} s: {error}") from error
        await _serve_with(settings, store, listener)
    finally:
        store.close()
        listener.close()


async def _serve_with(settings: Settings, store: Store, listener: socket.socket) -> None:
    limits = settings.limits
    metrics, trace, requests = Metrics(), Trace(settings.trace_rows), Requests(limits)
    backplane = _backplane(settings, metrics)
    fan_out = FanOut(waiting_limit_bytes=limits.waiting_bytes, trace=trace, metrics=metrics)
    gateway = Gateway(backplane, fan_out, recovery=settings.recovery, trace=trace, metrics=metrics)
    catch_up = CatchUp(gateway, store, automatic=settings.recovery == "automatic")
    write_path = WritePath(
        store.append,
        backplane.publish,
        trace=trace,
        metrics=metrics,
        pause_ms=settings.commit_pause_ms,
        capacity=limits.queued_posts,
    )
    metrics.gauges.update(
        connections=("WebSocket connections.", lambda: len(gateway.connections)),
        channels=("Channels that are open here.", lambda: len(gateway.channels)),
        queued_posts=("Posts that wait for the database.", lambda: write_path.queued),
        backplane_up=("1 while the backplane is connected.", lambda: backplane.up),
    )
    application = Application(
        settings.token,
        Posting(write_path, requests, body_limit_bytes=limits.body_bytes, metrics=metrics),
        Sessions(gateway, catch_up, requests, limits=limits, metrics=metrics),
        [
            *Reading(store, backplane, requests, trace=trace, metrics=metrics).routes(),
            Rebroadcast(gateway, catch_up, requests).route(),
        ],
    )
    _log.info("ready on http://%s:%d", settings.host, settings.port)
    await _run(
        _web_server(settings, application),
        listener,
        write_path.run(),
        backplane.run(gateway),
        fan_out.run(),
        catch_up.run(),
        keep_house(lambda: len(gateway.connections), metrics),
    )


def _backplane(settings: Settings, metrics: Metrics) -> Backplane:
    if settings.backplane == "memory":
        return MemoryBackplane()
    assert settings.redis is not None  # checked with the settings
    return RedisPubSub(settings.redis, metrics)


def _bind(host: str, port: int, send_buffer_bytes: int) -> socket.socket:
    """Take the address before anything else is done. Who connects early waits until everything else is ready."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotStart(f"cannot use the address {host}:{port}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)  # connections inherit it
        listener.bind(address)
        # Bound to an address that is free there may be several sockets on Linux; listening is what claims it.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


class _WebServer(uvicorn.Server):
    """Stops on a signal and then returns, where uvicorn would end the process by raising the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
        # The handlers stay until the loop is closed: whoever asks again while we stop need not be answered with a kill.


def _web_server(settings: Settings, application: Application) -> _WebServer:
    return _WebServer(
        uvicorn.Config(
            application,
            http=GatheringHttp,
            ws=BroadcastWebSocket,
            ws_max_size=settings.limits.frame_bytes,
            ws_ping_interval=60.0,
            ws_ping_timeout=30.0,
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


async def _run(web: uvicorn.Server, listener: socket.socket, *background: Coroutine[Any, Any, None]) -> None:
    """Serve with the background work going on; when any of it ends, so does the server, and with its exception."""
    tasks = [asyncio.create_task(work) for work in background]
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        await asyncio.wait((serving, *tasks), return_when=asyncio.FIRST_COMPLETED)
        web.should_exit = True
        await serving
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
