"""One client's dialogue on its WebSocket: subscribe, resume, unsubscribe."""

import asyncio
import logging
from functools import partial

from starlette.websockets import WebSocket

from reference_server.catch_up import CatchUp, Rows
from reference_server.channel import Channel
from reference_server.connection import Connection
from reference_server.fan_out import SLOW_READER
from reference_server.gateway import Gateway
from reference_server.link import DatabaseError
from reference_server.metrics import Metrics
from reference_server.settings import Limits
from reference_server.websocket_protocol import SOCKET
from reference_server.wire import Command, Refused, Requests, Subscribed, Unsubscribed, encode, text_frame

RESUME_CHUNK_BYTES = 262_144
RESUME_PATIENCE_S = 10.0
TRY_AGAIN_LATER = 1013
INTERNAL_ERROR = 1011

_log = logging.getLogger(__name__)


class _Gone(Exception):
    """The connection ended while one of its commands was being carried out."""


class Sessions:
    """Everything a session needs; ``serve`` is one session."""

    def __init__(
        self, gateway: Gateway, catch_up: CatchUp, requests: Requests, *, limits: Limits, metrics: Metrics
    ) -> None:
        self._gateway = gateway
        self._catch_up = catch_up
        self._requests = requests
        self._limits = limits
        self._metrics = metrics

    async def serve(self, websocket: WebSocket) -> None:
        socket = websocket.scope["extensions"][SOCKET]
        await websocket.accept()
        if len(self._gateway.connections) >= self._limits.connections:
            self._metrics.refused_connections += 1
            await websocket.close(TRY_AGAIN_LATER, f"this server takes {self._limits.connections} connections")
            return
        connection = Connection(socket)
        self._gateway.connections.add(connection)
        socket.on_leave = partial(self._gateway.leave, connection)
        try:
            while (event := await websocket.receive())["type"] == "websocket.receive":
                await self._obey(connection, event.get("text"))
        except _Gone:
            pass
        except Exception:
            _log.exception("a WebSocket session failed")
            socket.close_now(INTERNAL_ERROR, "the server failed")
        finally:
            self._gateway.leave(connection)

    async def _obey(self, connection: Connection, frame: str | None) -> None:
        try:
            if frame is None:
                raise Refused(400, "invalid_json", "expected a text frame, found a binary one")
            command = self._requests.command(frame)
            if command.op == "subscribe":
                await self._subscribe(connection, command)
            else:
                self._gateway.detach(connection, command.channel)
                self._tell(connection, encode(Unsubscribed(command.channel)))
        except Refused as refusal:
            self._tell(connection, refusal.event())
        except DatabaseError as error:
            self._tell(connection, Refused(503, "database_unavailable", str(error)).event())

    async def _subscribe(self, connection: Connection, command: Command) -> None:
        name = command.channel
        if name in connection.channels:
            raise Refused(400, "invalid_request", f"channel: already subscribed to {name}")
        if len(connection.channels) >= self._limits.channels_per_connection:
            raise Refused(400, "too_many_channels", f"at most {self._limits.channels_per_connection} per connection")
        channel = self._gateway.open(name)
        try:
            await self._catch_up.settled(channel)
            if command.since is None:
                position = channel.flushed
                self._tell(connection, encode(Subscribed(name, position)))
            else:
                position = await self._resume(connection, channel, command.since)
            if connection.closed:
                raise _Gone
        except BaseException:
            self._gateway.release(channel)
            raise
        # Nothing was awaited since the position was compared with channel.flushed, so nothing can come in between.
        self._gateway.attach(connection, channel, position)

    async def _resume(self, connection: Connection, channel: Channel, since: int) -> int:
        """Confirm, and write what the client missed until it has all that the channel's members have. Returns up to
        where that is: reading goes on until nothing was flushed meanwhile, so nothing has to be kept for this client."""
        await self._check_since(channel, since)
        position = since
        missed = await self._catch_up.after(channel.name, since) if since < channel.flushed else []
        self._tell(connection, encode(Subscribed(channel.name, since)))
        while True:
            if missed:
                await self._write_missed(connection, missed)
                position = missed[-1][0]
            if position >= channel.flushed:
                return position
            try:
                missed = await self._catch_up.after(channel.name, position)
            except DatabaseError:
                missed = []
            if not missed:
                # It was told that it is subscribed; a promise that cannot be kept is ended, and the client resumes.
                connection.socket.close_now(INTERNAL_ERROR, "the database failed during a resume")
                raise _Gone

    async def _check_since(self, channel: Channel, since: int) -> None:
        assert channel.position is not None
        newest = channel.position if since <= channel.position else await self._catch_up.newest(channel.name)
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
        """Write at the client's own speed."""
        frames = [frame for _, frame in missed]
        while frames:
            count = size = 0
            while count < len(frames) and (count == 0 or size + len(frames[count]) <= RESUME_CHUNK_BYTES):
                size += len(frames[count])
                count += 1
            if connection.closed:
                raise _Gone
            connection.write(b"".join(frames[:count]))
            self._metrics.resumed += count
            frames = frames[count:]
            try:
                async with asyncio.timeout(RESUME_PATIENCE_S):
                    await connection.socket.writable.wait()
            except TimeoutError:
                self._shut_slow(connection)
                raise _Gone from None

    def _tell(self, connection: Connection, payload: bytes) -> None:
        """Answer in line with the deliveries: straight to the transport, so the order is that of the calls."""
        if connection.closed:
            raise _Gone
        connection.write(text_frame(payload))
        if connection.waiting_bytes() > self._limits.waiting_bytes:
            self._shut_slow(connection)
            raise _Gone

    def _shut_slow(self, connection: Connection) -> None:
        self._metrics.slow_readers += 1
        connection.socket.close_now(SLOW_READER, "read too slowly")
