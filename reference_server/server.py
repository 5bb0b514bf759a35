"""One server: its parts, put together, started in order and stopped in the reverse order."""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from typing import Any

import uvicorn

from reference_server.backplane.base import Backplane, BackplaneContext
from reference_server.gateway.fan_out import FanOut
from reference_server.gateway.gateway import Gateway
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.housekeeping import run_housekeeping
from reference_server.message_log.base import Log, LogError
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Requests
from reference_server.recovery.catch_up import CatchUp
from reference_server.recovery.recent_log import RecentLog
from reference_server.server_trace import Trace
from reference_server.settings import Settings
from reference_server.web.application import Application
from reference_server.web.manual_recovery import ManualRecovery
from reference_server.web.posting import Posting
from reference_server.web.queries import Queries
from reference_server.web.session import Sessions
from reference_server.web.web_server import CannotListen, listen, web_server
from reference_server.write_path.base import WritePath, WritePathContext
from reference_server.write_path.registry import WRITE_PATHS

DATABASE_TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


class CannotStart(Exception):
    """The address or the database cannot be used. The message says what was tried and what happened."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotStart; after the shutdown, raises the error that ended a background
    task."""
    try:
        listener = listen(settings.host, settings.port, settings.limits.send_buffer_bytes)
    except CannotListen as error:
        raise CannotStart(str(error)) from error
    log = PostgresqlLog(
        settings.postgres,
        name=settings.name,
        statement_timeout_ms=settings.statement_timeout_ms,
        synchronous_commit=settings.synchronous_commit,
    )
    try:
        try:
            await log.start(DATABASE_TIMEOUT_S)
        except LogError as error:
            raise CannotStart(f"PostgreSQL could not be reached for {DATABASE_TIMEOUT_S:.0f} s: {error}") from error
        await _serve_with(settings, log, listener)
    finally:
        log.close()
        listener.close()


async def _serve_with(settings: Settings, log: PostgresqlLog, listener: socket.socket) -> None:
    limits = settings.limits
    metrics, trace, requests = Metrics(), Trace(settings.trace_rows), Requests(limits)
    chosen = settings.backplane
    backplane = chosen.kind.build(chosen.section, BackplaneContext(settings=settings, log=log, metrics=metrics))
    subscriptions = Subscriptions(backplane)
    write_path_kind = WRITE_PATHS.find(settings.write_path)
    sequencer = None
    if write_path_kind.needs_sequencer and chosen.kind.sequencer is not None:
        sequencer = chosen.kind.sequencer(chosen.section)
    write_path = write_path_kind.build(
        WritePathContext(
            settings=settings,
            log=log,
            publish=backplane.publish,
            trace=trace,
            metrics=metrics,
            sequencer=sequencer,
            expected=subscriptions.expected,
        )
    )
    readable: Log = log if sequencer is None else RecentLog(log, sequencer)
    fan_out = FanOut(waiting_limit_bytes=limits.waiting_bytes, trace=trace, metrics=metrics)
    gateway = Gateway(
        subscriptions,
        fan_out,
        recovery=settings.recovery,
        trace=trace,
        metrics=metrics,
        backplane_delay_s=chosen.kind.delay_s(chosen.section),
    )
    catch_up = CatchUp(gateway, readable, automatic=settings.recovery == "automatic")
    _add_gauges(metrics, subscriptions, write_path, backplane)
    application = Application(
        settings.token,
        Posting(write_path, requests, body_limit_bytes=limits.body_bytes, metrics=metrics),
        Sessions(subscriptions, catch_up, requests, limits=limits, metrics=metrics),
        [
            *Queries(log, backplane, requests, trace=trace, metrics=metrics).routes(),
            ManualRecovery(gateway, catch_up, requests).route(),
        ],
    )
    _log.info("ready on http://%s:%d", settings.host, settings.port)
    await _run(
        web_server(settings, application),
        listener,
        write_path,
        *([] if sequencer is None else [sequencer.run()]),
        backplane.run(gateway),
        fan_out.run(),
        catch_up.run(),
        run_housekeeping(lambda: len(subscriptions.connections), metrics),
    )


def _add_gauges(metrics: Metrics, subscriptions: Subscriptions, write_path: WritePath, backplane: Backplane) -> None:
    metrics.gauges.update(
        connections=("WebSocket connections.", lambda: len(subscriptions.connections)),
        channels=("Channels that are open here.", lambda: len(subscriptions.channels)),
        queued_posts=("Posts that wait for the database.", lambda: write_path.queued),
        backplane_up=("1 while the backplane is connected.", lambda: backplane.up),
    )


async def _run(
    web: uvicorn.Server, listener: socket.socket, write_path: WritePath, *background: Coroutine[Any, Any, None]
) -> None:
    """Serve while the background tasks run. When one of them ends, the server ends, and raises the error of the task."""
    tasks = [asyncio.create_task(work) for work in (write_path.run(), *background)]
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        await asyncio.wait((serving, *tasks), return_when=asyncio.FIRST_COMPLETED)
        web.should_exit = True
        await serving
        for task in tasks:
            if task.done():
                task.result()
        await write_path.finish()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
