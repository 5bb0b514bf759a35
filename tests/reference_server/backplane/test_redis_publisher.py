"""The connection on which a server publishes to Redis: what is sent, what is refused, what is counted."""

import asyncio
from dataclasses import dataclass, field

import hiredis
import pytest

from reference_server.backplane.redis_publisher import PUBLISH_BUFFER_BYTES, Redis, RedisPublisher, login_of
from reference_server.backplane.resp_connection import Command
from reference_server.metrics import Metrics

COMMANDS: list[Command] = [("PUBLISH", "a", b"1"), ("PUBLISH", "b", b"2")]


@dataclass
class FakeConnection:
    """What a publisher uses of a connection. It stays until ``end`` is set, then it is lost."""

    lost: bool = False
    waiting_bytes: int = 0
    sent: list[Command] = field(default_factory=list)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, *commands: Command) -> None:
        self.sent += commands

    async def keep_alive(self) -> None:
        await self.end.wait()
        raise ConnectionResetError("cut off")


def publish_on(connection: FakeConnection) -> tuple[bool, Metrics]:
    """What two commands come to on this connection, and what was counted."""
    metrics = Metrics()
    publisher = RedisPublisher(Redis(host="127.0.0.1"), metrics)

    async def main() -> bool:
        serving = asyncio.create_task(publisher._serve(connection))  # type: ignore[arg-type]  # a fake
        await asyncio.sleep(0)
        assert publisher.up
        accepted = publisher.send(COMMANDS)
        connection.end.set()
        with pytest.raises(ConnectionResetError):
            await serving
        assert not publisher.up, "a lost connection is not published on"
        return accepted

    return asyncio.run(main()), metrics


def test_commands_are_sent_up_to_the_limit_of_what_waits() -> None:
    """In order, each counted as published; exactly the limit still fits."""
    connection = FakeConnection(waiting_bytes=PUBLISH_BUFFER_BYTES)
    accepted, metrics = publish_on(connection)
    assert accepted
    assert connection.sent == COMMANDS
    assert (metrics.published, metrics.publish_failures) == (2, 0)


@pytest.mark.parametrize("given", [{"waiting_bytes": PUBLISH_BUFFER_BYTES + 1}, {"lost": True}])
def test_nothing_of_a_batch_is_sent_where_it_cannot_go(given: dict[str, int]) -> None:
    """Too much waits, or the connection is lost: each message counts as a failure."""
    connection = FakeConnection(**given)  # type: ignore[arg-type]  # fields of the fake
    accepted, metrics = publish_on(connection)
    assert not accepted
    assert connection.sent == []
    assert (metrics.published, metrics.publish_failures) == (0, 2)


def test_without_a_connection_every_message_fails() -> None:
    """Before the first connection nothing waits in memory."""
    metrics = Metrics()
    publisher = RedisPublisher(Redis(host="127.0.0.1"), metrics)
    assert not publisher.up
    assert not publisher.send(COMMANDS)
    assert (metrics.published, metrics.publish_failures) == (0, 2)


def test_a_refusal_of_redis_is_counted_and_a_count_of_receivers_is_not() -> None:
    """PUBLISH answers with the number of receivers; 0 is no failure."""
    metrics = Metrics()
    RedisPublisher(Redis(host="127.0.0.1"), metrics)._on_replies([3, hiredis.ReplyError("OOM"), 0])
    assert metrics.publish_failures == 1


@pytest.mark.parametrize(
    ("username", "password", "login"),
    [(None, None, None), ("u", None, None), (None, "p", ("p",)), ("u", "p", ("u", "p"))],
)
def test_a_login_needs_a_password(username: str | None, password: str | None, login: Command | None) -> None:
    """The arguments of AUTH; none without a password."""
    assert login_of(Redis(host="h", username=username, password=password)) == login
