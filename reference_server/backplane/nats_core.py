"""Core NATS: one subject per channel, one connection that publishes and subscribes.

A payload is 8 bytes of seq and the finished frame, as with Redis Pub/Sub. NATS does not keep messages, and this module
keeps none for a reconnection: the gateway reads missing messages from the message log.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.backplane.nats_connection import NatsConnection
from reference_server.backplane.reconnection import Reconnection
from reference_server.metrics import Metrics
from reference_server.settings_section import Section

PREFIX = b"chat."
PUBLISH_BUFFER_BYTES = 1_048_576


class Nats(Section, frozen=True, kw_only=True):
    """The address of NATS. A password without a user name is a token."""

    host: str
    port: int = 4222
    username: str | None = None
    password: str | None = None
    password_file: str | None = None


class NatsCore:
    def __init__(self, nats: Nats, metrics: Metrics) -> None:
        self._nats = nats
        self._metrics = metrics
        self._receiver: Receiver
        self._connection: NatsConnection | None = None
        self._numbers: dict[str, bytes] = {}
        """the number of each wanted channel's subscription; a number is never used again"""
        self._channels: dict[bytes, str] = {}
        self._last_number = 0
        self._to_subscribe: list[str] = []

    @property
    def up(self) -> bool:
        return self._connection is not None

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        login = _login(self._nats)
        await Reconnection().keep(
            "connection",
            lambda: NatsConnection.open(self._nats.host, self._nats.port, login, self._on_message),
            self._serve,
        )

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        connection = self._connection
        if connection is None or connection.lost or connection.waiting_bytes > PUBLISH_BUFFER_BYTES:
            self._metrics.publish_failures += len(messages)
            return False
        connection.send(
            b"".join(
                b"PUB %b %d\r\n%b%b\r\n" % (_subject(channel), len(frame) + 8, seq.to_bytes(8), frame)
                for channel, seq, frame in messages
            )
        )
        self._metrics.published += len(messages)
        return True

    def subscribe(self, channels: Collection[str]) -> None:
        for channel in channels:
            self._last_number += 1
            self._numbers[channel] = number = b"%d" % self._last_number
            self._channels[number] = channel
        if self._connection is None:
            return  # when it connects, it subscribes to all channels
        if not self._to_subscribe:
            asyncio.get_running_loop().call_soon(self._send_subscriptions)
        self._to_subscribe.extend(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._send_subscriptions()  # an earlier SUB must not follow this UNSUB
        numbers = [self._numbers.pop(channel) for channel in channels if channel in self._numbers]
        for number in numbers:
            del self._channels[number]
        if self._connection is not None:
            self._connection.send(b"".join(b"UNSUB %b\r\n" % number for number in numbers))

    def _send_subscriptions(self) -> None:
        channels, self._to_subscribe = self._to_subscribe, []
        if self._connection is None or not channels:
            return
        self._connection.send(
            b"".join(
                b"SUB %b %b\r\n" % (_subject(channel), self._numbers[channel])
                for channel in channels
                if channel in self._numbers
            )
        )
        self._connection.ping(self._confirm(self._connection, channels))

    def _confirm(self, connection: NatsConnection, channels: Sequence[str]) -> Callable[[], None]:
        """NATS answers a PING after everything that was sent before it: its PONG confirms the subscriptions."""

        def confirmed() -> None:
            if self._connection is connection:
                self._receiver.on_subscribed(channels)

        return confirmed

    async def _serve(self, connection: NatsConnection) -> None:
        self._connection = connection
        self._receiver.on_state(True)
        try:
            self._to_subscribe = list(self._numbers)
            self._send_subscriptions()
            await connection.keep_alive()
        finally:
            self._connection = None
            self._receiver.on_state(False)

    def _on_message(self, number: bytes, payload: bytes) -> None:
        channel = self._channels.get(number)
        if channel is not None:
            self._receiver.on_message(channel, int.from_bytes(payload[:8]), payload[8:])


def _subject(channel: str) -> bytes:
    """The parts between dots must not be empty in a subject, but may be empty in a channel; a channel has no slash."""
    return PREFIX + channel.replace(".", "/").encode()


def _login(nats: Nats) -> dict[str, str]:
    if nats.password is None:
        return {}
    return {"auth_token": nats.password} if nats.username is None else {"user": nats.username, "pass": nats.password}


def _build(section: Nats, context: BackplaneContext) -> NatsCore:
    return NatsCore(section, context.metrics)


KIND = BackplaneKind(name="nats", section=Nats, broker="nats", build=_build)
