"""The session of one client on its WebSocket: subscribe, resume, unsubscribe."""

import asyncio
import logging
from functools import partial

from starlette.websockets import WebSocket

from reference_server.gateway.channel import Channel
from reference_server.gateway.client_connection import Connection
from reference_server.gateway.fan_out import SLOW_CONSUMER
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.message_log.base import LogError
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Command, Refused, Requests
from reference_server.protocol.protocol_limits import Limits
from reference_server.protocol.server_events import Subscribed, Unsubscribed, encode, text_frame
from reference_server.recovery.catch_up import CatchUp
from reference_server.recovery.log_reader import Rows
from reference_server.web.websocket_protocol import SOCKET

RESUME_CHUNK_BYTES = 262_144
RESUME_TIMEOUT_S = 10.0
TRY_AGAIN_LATER = 1013
INTERNAL_ERROR = 1011

_log = logging.getLogger(__name__)


class _ConnectionEnded(Exception):
    """The connection ended during one of its commands."""


class Sessions:
    """What all sessions share; ``serve`` runs one session."""

    def __init__(
        self, subscriptions: Subscriptions, catch_up: CatchUp, requests: Requests, *, limits: Limits, metrics: Metrics
    ) -> None:
        self._subscriptions = subscriptions
        self._catch_up = catch_up
        self._reader = catch_up.reader
        self._requests = requests
        self._limits = limits
        self._metrics = metrics

    async def serve(self, websocket: WebSocket) -> None:
        socket = websocket.scope["extensions"][SOCKET]
        await websocket.accept()
        if len(self._subscriptions.connections) >= self._limits.connections:
            self._metrics.refused_connections += 1
            await websocket.close(TRY_AGAIN_LATER, f"this server takes {self._limits.connections} connections")
            return
        connection = Connection(socket)
        self._subscriptions.connections.add(connection)
        socket.on_end = partial(self._subscriptions.leave, connection)
        try:
            while (event := await websocket.receive())["type"] == "websocket.receive":
                await self._handle_command(connection, event.get("text"))
        except _ConnectionEnded:
            pass
        except Exception:
            _log.exception("a WebSocket session failed")
            socket.close_now(INTERNAL_ERROR, "the server failed")
        finally:
            self._subscriptions.leave(connection)

    async def _handle_command(self, connection: Connection, frame: str | None) -> None:
        try:
            if frame is None:
                raise Refused(400, "invalid_json", "expected a text frame, found a binary one")
            command = self._requests.command(frame)
            if command.op == "subscribe":
                await self._subscribe(connection, command)
            else:
                self._subscriptions.detach(connection, command.channel)
                self._send_event(connection, encode(Unsubscribed(command.channel)))
        except Refused as refusal:
            self._send_event(connection, refusal.event())
        except LogError as error:
            self._send_event(connection, Refused(503, "database_unavailable", str(error)).event())

    async def _subscribe(self, connection: Connection, command: Command) -> None:
        name = command.channel
        if name in connection.channels:
            raise Refused(400, "invalid_request", f"channel: already subscribed to {name}")
        if len(connection.channels) >= self._limits.channels_per_connection:
            raise Refused(400, "too_many_channels", f"at most {self._limits.channels_per_connection} per connection")
        channel = self._subscriptions.open(name)
        try:
            await self._catch_up.until_started(channel)
            if command.since is None:
                position = channel.flushed
                self._send_event(connection, encode(Subscribed(name, position)))
            else:
                position = await self._resume(connection, channel, command.since)
            if connection.closed:
                raise _ConnectionEnded
        except BaseException:
            self._subscriptions.release(channel)
            raise
        # No await since the position was compared with channel.flushed, so no flush can come in between.
        self._subscriptions.attach(connection, channel, position)

    async def _resume(self, connection: Connection, channel: Channel, since: int) -> int:
        """Confirm, and write what the client missed until it has all that the members of the channel have. Returns that
        position. Reading continues until nothing was flushed meanwhile, so the server keeps nothing for this client."""
        await self._check_since(channel, since)
        position = since
        missed = await self._reader.after(channel.name, since) if since < channel.flushed else []
        self._send_event(connection, encode(Subscribed(channel.name, since)))
        while True:
            if missed:
                await self._write_missed(connection, missed)
                position = missed[-1][0]
            if position >= channel.flushed:
                return position
            try:
                missed = await self._reader.after(channel.name, position)
            except LogError:
                missed = []
            if not missed:
                # The client has the confirmation already, and the server cannot deliver: it closes, and the client resumes.
                connection.socket.close_now(INTERNAL_ERROR, "the database failed during a resume")
                raise _ConnectionEnded

    async def _check_since(self, channel: Channel, since: int) -> None:
        assert channel.position is not None
        newest = channel.position if since <= channel.position else await self._reader.newest(channel.name)
        if since > newest:
            raise Refused(400, "invalid_request", f"since: {since} is beyond the channel's newest seq, {newest}")
        if newest - since > self._limits.resume_messages:
            raise Refused(
                400,
                "invalid_request",
                f"since: {since} is more than {self._limits.resume_messages} messages behind {newest}; "
                "read conversations.history",
            )

    async def _write_missed(self, connection: Connection, missed: Rows) -> None:
        """Write at the speed of the client."""
        frames = [frame for _, frame in missed]
        while frames:
            count = size = 0
            while count < len(frames) and (count == 0 or size + len(frames[count]) <= RESUME_CHUNK_BYTES):
                size += len(frames[count])
                count += 1
            if connection.closed:
                raise _ConnectionEnded
            connection.write(b"".join(frames[:count]))
            self._metrics.resumed += count
            frames = frames[count:]
            try:
                async with asyncio.timeout(RESUME_TIMEOUT_S):
                    await connection.socket.writable.wait()
            except TimeoutError:
                self._close_slow_consumer(connection)
                raise _ConnectionEnded from None

    def _send_event(self, connection: Connection, payload: bytes) -> None:
        """Send an event in order with the deliveries: both go straight to the transport."""
        if connection.closed:
            raise _ConnectionEnded
        connection.write(text_frame(payload))
        if connection.waiting_bytes() > self._limits.waiting_bytes:
            self._close_slow_consumer(connection)
            raise _ConnectionEnded

    def _close_slow_consumer(self, connection: Connection) -> None:
        self._metrics.slow_consumers += 1
        connection.socket.close_now(SLOW_CONSUMER, "read too slowly")
