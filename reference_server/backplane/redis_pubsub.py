"""Redis Pub/Sub: one Redis channel per chat channel, one connection to publish and one to subscribe.

A payload is 8 bytes of seq (big-endian) and the finished WebSocket frame, so a receiving server parses no JSON. Redis
forgets a message that no server was subscribed to; the gateway then reads it from the message log.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import hiredis

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.backplane.resp_connection import Command, OnReplies, RespConnection
from reference_server.backplane.sequencer import Sequencer
from reference_server.metrics import Metrics
from reference_server.settings_section import Section

PREFIX = b"chat:"
NAMES_PER_COMMAND = 500
PUBLISH_BUFFER_BYTES = 1_048_576
BACK_OFF_BASE_S = 0.05
BACK_OFF_CAP_S = 1.0

_log = logging.getLogger(__name__)


class Redis(Section, frozen=True, kw_only=True):
    """Where Redis is."""

    host: str
    port: int = 6379
    username: str | None = None
    password: str | None = None
    password_file: str | None = None


class RedisPubSub:
    def __init__(self, redis: Redis, metrics: Metrics) -> None:
        self._redis = redis
        self._metrics = metrics
        self._receiver: Receiver
        self._publisher: RespConnection | None = None
        self._subscriber: RespConnection | None = None
        self._reachable = asyncio.Event()
        self._channels: set[str] = set()
        self._to_subscribe: list[str] = []

    @property
    def up(self) -> bool:
        return self._publisher is not None and self._subscriber is not None

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected("publisher", self._on_publisher_replies, self._serve_publisher))
            tasks.create_task(self._stay_connected("subscriber", self._on_subscriber_replies, self._serve_subscriber))

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        publisher = self._publisher
        if publisher is None or publisher.lost or publisher.waiting_bytes > PUBLISH_BUFFER_BYTES:
            self._metrics.publish_failures += len(messages)
            return False
        publisher.send(
            *[("PUBLISH", PREFIX + channel.encode(), seq.to_bytes(8) + frame) for channel, seq, frame in messages]
        )
        self._metrics.published += len(messages)
        return True

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._subscriber is None:
            return  # when it connects, it subscribes to all channels
        if not self._to_subscribe:
            asyncio.get_running_loop().call_soon(self._send_subscriptions)
        self._to_subscribe.extend(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)
        self._send_subscriptions()  # an earlier SUBSCRIBE must not follow this UNSUBSCRIBE
        self._send_names(b"UNSUBSCRIBE", list(channels))

    def _send_subscriptions(self) -> None:
        channels, self._to_subscribe = self._to_subscribe, []
        self._send_names(b"SUBSCRIBE", channels)

    def _send_names(self, verb: bytes, channels: Sequence[str]) -> None:
        if self._subscriber is None or not channels:
            return
        names = [PREFIX + channel.encode() for channel in channels]
        self._subscriber.send(
            *[(verb, *names[at : at + NAMES_PER_COMMAND]) for at in range(0, len(names), NAMES_PER_COMMAND)]
        )

    # The two connections.

    async def _stay_connected(
        self, role: str, on_replies: OnReplies, serve: Callable[[RespConnection], Awaitable[None]]
    ) -> None:
        """Connect and serve, again after each failure. The pause before a retry is random and its limit doubles (full
        jitter), so that servers that lost Redis together do not return together. When one of the two connections succeeds,
        the other one retries at once."""
        login = login_of(self._redis)
        failures = 0
        while True:
            connection = None
            try:
                connection = await RespConnection.open(self._redis.host, self._redis.port, login, on_replies)
                _log.info("backplane %s connected", role)
                connected_s = time.monotonic()
                self._reachable.set()
                await serve(connection)
            except OSError as error:
                # A connection that was lost at once counts as a failure: Redis may close it again and again.
                if connection is not None and time.monotonic() - connected_s > BACK_OFF_CAP_S:
                    failures = 0
                if failures == 0:
                    _log.warning("backplane %s down: %s", role, error or type(error).__name__)
                failures += 1
                self._reachable.clear()
            finally:
                if connection is not None:
                    connection.abort()
            limit_s = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 10))
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0, limit_s)):  # noqa: S311  # jitter, not a secret
                    await self._reachable.wait()

    async def _serve_publisher(self, connection: RespConnection) -> None:
        self._publisher = connection
        try:
            await connection.keep_alive()
        finally:
            self._publisher = None

    async def _serve_subscriber(self, connection: RespConnection) -> None:
        self._subscriber = connection
        self._receiver.on_state(True)
        try:
            self._to_subscribe = []
            self._send_names(b"SUBSCRIBE", list(self._channels))
            await connection.keep_alive()
        finally:
            self._subscriber = None
            self._receiver.on_state(False)

    def _on_publisher_replies(self, replies: list[Any]) -> None:
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                self._metrics.publish_failures += 1
                _log.warning("backplane refused a message: %s", reply)

    def _on_subscriber_replies(self, replies: list[Any]) -> None:
        subscribed = []
        for reply in replies:
            if not isinstance(reply, list):
                if isinstance(reply, hiredis.ReplyError):
                    _log.warning("backplane refused a subscription: %s", reply)
                continue
            kind, name = reply[0], reply[1]
            if kind == b"message":
                payload = reply[2]
                self._receiver.on_message(name[len(PREFIX) :].decode(), int.from_bytes(payload[:8]), payload[8:])
            elif kind == b"subscribe":
                subscribed.append(name[len(PREFIX) :].decode())
        if subscribed:
            self._receiver.on_subscribed(subscribed)


def login_of(redis: Redis) -> Command | None:
    if redis.password is None:
        return None
    return (redis.password,) if redis.username is None else (redis.username, redis.password)


def _build(section: Redis, context: BackplaneContext) -> RedisPubSub:
    return RedisPubSub(section, context.metrics)


def _sequencer(section: Redis) -> Sequencer:
    from reference_server.backplane.redis_sequencer import RedisSequencer  # it uses this module

    return RedisSequencer(section)


KIND = BackplaneKind(name="redis", section=Redis, broker="redis", build=_build, sequencer=_sequencer)
