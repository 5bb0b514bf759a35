"""The address of Redis, and the connection on which a server publishes to it: common to Pub/Sub and Streams."""

import logging
from collections.abc import Sequence
from typing import Any

import hiredis

from reference_server.backplane.reconnection import Reconnection
from reference_server.backplane.resp_connection import Command, OnReplies, RespConnection
from reference_server.metrics import Metrics
from reference_server.settings_section import Section

PUBLISH_BUFFER_BYTES = 1_048_576

_log = logging.getLogger(__name__)


class Redis(Section, frozen=True, kw_only=True):
    """Where Redis is."""

    host: str
    port: int = 6379
    username: str | None = None
    password: str | None = None
    password_file: str | None = None


async def connect(redis: Redis, on_replies: OnReplies) -> RespConnection:
    """Raises OSError."""
    return await RespConnection.open(redis.host, redis.port, login_of(redis), on_replies)


class RedisPublisher:
    """Sends commands that publish, without waiting for their replies."""

    def __init__(self, redis: Redis, metrics: Metrics) -> None:
        self._redis = redis
        self._metrics = metrics
        self._connection: RespConnection | None = None

    @property
    def up(self) -> bool:
        return self._connection is not None

    async def run(self, reconnection: Reconnection) -> None:
        """Stay connected until cancelled."""
        await reconnection.keep("publisher", lambda: connect(self._redis, self._on_replies), self._serve)

    def send(self, commands: Sequence[Command]) -> bool:
        """One command for each message; False, and nothing sent, if too much waits already or there is no
        connection."""
        connection = self._connection
        if connection is None or connection.lost or connection.waiting_bytes > PUBLISH_BUFFER_BYTES:
            self._metrics.publish_failures += len(commands)
            return False
        connection.send(*commands)
        self._metrics.published += len(commands)
        return True

    async def _serve(self, connection: RespConnection) -> None:
        self._connection = connection
        try:
            await connection.keep_alive()
        finally:
            self._connection = None

    def _on_replies(self, replies: list[Any]) -> None:
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                self._metrics.publish_failures += 1
                _log.warning("backplane refused a message: %s", reply)


def login_of(redis: Redis) -> Command | None:
    if redis.password is None:
        return None
    return (redis.password,) if redis.username is None else (redis.username, redis.password)
