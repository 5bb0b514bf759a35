"""Redis Pub/Sub: one Redis channel per chat channel, one connection to publish and one to subscribe.

A payload is 8 bytes of seq (big-endian) and the finished WebSocket frame, so a receiving server parses no JSON. Redis
does not keep messages; the gateway reads missing ones from the message log.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Any

import hiredis

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.backplane.reconnection import Reconnection
from reference_server.backplane.redis_publisher import Redis, RedisPublisher, connect
from reference_server.backplane.resp_connection import RespConnection
from reference_server.backplane.sequencer import Sequencer
from reference_server.metrics import Metrics

PREFIX = b"chat:"
NAMES_PER_COMMAND = 500

_log = logging.getLogger(__name__)


class RedisPubSub:
    def __init__(self, redis: Redis, metrics: Metrics) -> None:
        self._redis = redis
        self._receiver: Receiver
        self._publisher = RedisPublisher(redis, metrics)
        self._subscriber: RespConnection | None = None
        self._channels: set[str] = set()
        self._to_subscribe: list[str] = []

    @property
    def up(self) -> bool:
        return self._publisher.up and self._subscriber is not None

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        reconnection = Reconnection()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publisher.run(reconnection))
            tasks.create_task(
                reconnection.keep(
                    "subscriber", lambda: connect(self._redis, self._on_subscriber_replies), self._serve_subscriber
                )
            )

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        return self._publisher.send(
            [("PUBLISH", PREFIX + channel.encode(), seq.to_bytes(8) + frame) for channel, seq, frame in messages]
        )

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


def _build(section: Redis, context: BackplaneContext) -> RedisPubSub:
    return RedisPubSub(section, context.metrics)


def _sequencer(section: Redis) -> Sequencer:
    from reference_server.backplane.redis_sequencer import RedisSequencer  # it uses this module

    return RedisSequencer(section)


KIND = BackplaneKind(name="redis", section=Redis, broker="redis", build=_build, sequencer=_sequencer)
