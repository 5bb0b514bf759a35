"""Publishing to Redis: the commands, the refusals and the counters."""

import asyncio
from typing import Any

import hiredis
import pytest

from reference_server.backplane.reconnection import Reconnection
from reference_server.backplane.redis_publisher import PUBLISH_BUFFER_BYTES, Redis, RedisPublisher, login_of
from reference_server.metrics import Metrics
from tests.reference_server.fake_redis import FakeRedis
from tests.reference_server.fakes import until

TWO = [("PUBLISH", "a", "1"), ("PUBLISH", "b", "2")]


class FakeConnection:
    """A connection that is up or lost, with this many waiting bytes."""

    def __init__(self, waiting_bytes: int = 0, *, lost: bool = False) -> None:
        self.waiting_bytes = waiting_bytes
        self.lost = lost
        self.sent: list[Any] = []

    def send(self, *commands: Any) -> None:
        self.sent += commands


def publisher(connection: FakeConnection | None) -> tuple[RedisPublisher, Metrics]:
    metrics = Metrics()
    made = RedisPublisher(Redis(host="127.0.0.1"), metrics)
    made._connection = connection  # type: ignore[assignment]  # a stand-in
    return made, metrics


@pytest.mark.parametrize(
    ("secrets", "login"),
    [
        ({}, None),
        ({"username": "u"}, None),
        ({"password": "p"}, ("p",)),
        ({"username": "u", "password": "p"}, ("u", "p")),
        ({"password": ""}, ("",)),
    ],
)
def test_a_login_needs_a_password(secrets: dict[str, str], login: tuple[str, ...] | None) -> None:
    """A name alone is not a login. With a password alone Redis uses its default user."""
    assert login_of(Redis(host="h", **secrets)) == login


@pytest.mark.parametrize(
    ("connection", "sends"),
    [
        (FakeConnection(), True),
        (FakeConnection(PUBLISH_BUFFER_BYTES), True),
        (FakeConnection(PUBLISH_BUFFER_BYTES + 1), False),
        (FakeConnection(lost=True), False),
        (None, False),
    ],
)
def test_a_batch_is_sent_whole_or_not_at_all(connection: FakeConnection | None, sends: bool) -> None:
    """Up to a megabyte may wait. Each message counts as published or as failed."""
    made, metrics = publisher(connection)
    assert made.send(TWO) is sends
    assert (metrics.published, metrics.publish_failures) == ((2, 0) if sends else (0, 2))
    if connection is not None:
        assert connection.sent == (TWO if sends else [])


def test_a_refusal_is_counted_and_another_reply_is_not() -> None:
    """A reply to PUBLISH is the number of receivers, which may be zero."""
    made, metrics = publisher(None)
    made._on_replies([1, hiredis.ReplyError("NOPERM no"), 0, hiredis.ReplyError("OOM no"), b"PONG"])
    assert metrics.publish_failures == 2


def test_it_is_up_while_it_is_connected() -> None:
    """While it is up, it sends on its connection. Afterwards it refuses messages."""

    async def main() -> None:
        async with FakeRedis().running() as redis:
            metrics = Metrics()
            made = RedisPublisher(Redis(host="127.0.0.1", port=redis.port), metrics)
            assert not made.up
            running = asyncio.create_task(made.run(Reconnection()))
            await until(lambda: made.up)
            assert made.send(TWO)
            await until(lambda: [b"PUBLISH", b"b", b"2"] in redis.commands)
            running.cancel()
            await asyncio.wait((running,))
            assert not made.up
            assert not made.send(TWO)
            assert (metrics.published, metrics.publish_failures) == (2, 2)

    asyncio.run(main())
