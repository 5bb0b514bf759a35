"""LISTEN and NOTIFY as a backplane. Most tests use a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from reference_server.backplane.base import BackplaneContext, Outgoing
from reference_server.backplane.postgres_notify import (
    CHANNEL,
    KIND,
    PAYLOAD_LIMIT_BYTES,
    PostgresNotify,
    PostgresNotifySettings,
    packed,
)
from reference_server.message_log.base import Log
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.message_log.postgresql_address import Postgres as PostgresAddress
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame
from reference_server.settings import Settings
from tests.reference_server.fakes import FakeReceiver, until
from tests.reference_server.stack import Postgres, fresh

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"


def outgoing(channel: str, seq: int, text: str) -> Outgoing:
    return Outgoing(channel, seq, message_frame(channel, seq, text))


@asynccontextmanager
async def notifying(
    postgres: Postgres, *channels: str, inside: bool = False, metrics: Metrics | None = None
) -> AsyncIterator[tuple[PostgresNotify, FakeReceiver]]:
    publisher = PostgresqlConnection(PostgresAddress(**postgres.settings), name="publisher", statement_timeout_ms=5_000)
    metrics = metrics or Metrics()
    backplane = PostgresNotify(publisher.address, publisher, name="listener", inside=inside, metrics=metrics)
    receiver = FakeReceiver()
    backplane.subscribe(channels)
    running = asyncio.create_task(backplane.run(receiver))
    try:
        await until(lambda: backplane.up)
        yield backplane, receiver
    finally:
        running.cancel()
        await asyncio.wait((running,))


def test_messages_are_packed_below_the_limit() -> None:
    """The messages stay in order, and no payload has more bytes than the limit. A message that is too large becomes a
    pointer."""
    messages = [
        outgoing("c", 1, "ä" * 1_000),
        *[outgoing("c", seq, "é" * 2_000) for seq in (2, 3)],
        outgoing("c", 4, "x" * 9_000),
    ]
    payloads = list(packed(messages))
    assert all(len(payload.encode()) <= PAYLOAD_LIMIT_BYTES for payload in payloads)
    assert [line.split(" ")[0] for payload in payloads for line in payload.split("\n")] == ["1", "2", "3", "4"]
    assert payloads[-1].split("\n")[-1] == "4 c"
    assert len(payloads) == 2


@pytest.mark.integration
def test_a_message_arrives_as_it_was_published(postgres: Postgres) -> None:
    """The channels count as subscribed after LISTEN was confirmed. Messages arrive unchanged, and large ones as a
    pointer. A message of a channel without a client here is counted as unwanted."""
    wanted, other = fresh(), fresh()
    metrics = Metrics()

    async def main() -> None:
        async with notifying(postgres, wanted, metrics=metrics) as (backplane, receiver):
            assert receiver.events == [("up",), ("subscribed", wanted)]
            texts = ["line\nbreak and nul \x00", "ü" * 100]
            messages = [outgoing(wanted, seq, text) for seq, text in enumerate(texts, 1)]
            assert backplane.publish([*messages, outgoing(other, 1, "no"), outgoing(wanted, 3, "x" * 20_000)])
            await until(lambda: ("newer", wanted, 3) in receiver.events)
            assert receiver.events[2:-1] == [("message", *message) for message in messages]
            assert metrics.unwanted == 1

    asyncio.run(main())


@pytest.mark.integration
def test_the_committing_transaction_notifies(postgres: Postgres) -> None:
    """The notification has the text, or a pointer if the text is too long. A duplicate causes no notification. A message
    of a channel without a client here is counted as unwanted."""
    channel = fresh()
    metrics = Metrics()

    async def main() -> None:
        log = PostgresqlLog(PostgresAddress(**postgres.settings), name="test", statement_timeout_ms=5_000)
        await log.start(10)
        log.notify_inside = CHANNEL
        async with notifying(postgres, channel, inside=True, metrics=metrics) as (_, receiver):
            await log.append([fresh()], ["not for us"], [None])
            assert await log.append([channel] * 3, ["a\nb c", "a\nb c", "é" * 5_000], ["i", "i", None]) == [
                (1, False),
                (1, True),
                (2, False),
            ]
            await until(lambda: ("newer", channel, 2) in receiver.events)
            assert receiver.events[2:] == [("message", *outgoing(channel, 1, "a\nb c")), ("newer", channel, 2)]
            assert metrics.unwanted == 1
        log.close()

    asyncio.run(main())


def test_the_listener_may_have_an_address_of_its_own() -> None:
    """The settings may give the host, the port, both or neither. The credentials are always those of the main
    connection."""
    postgres = PostgresAddress(host="pooler", port=6432, user="u", password="p", database="d")
    settings = cast(Settings, SimpleNamespace(postgres=postgres, name="server-1", statement_timeout_ms=1_000))
    context = BackplaneContext(settings=settings, metrics=Metrics(), log=cast(Log, None))

    def place(**values: Any) -> tuple[str, int, str]:
        backplane = cast(PostgresNotify, KIND.build(PostgresNotifySettings(**values), context))
        assert backplane._publisher.address["host"] == "pooler"
        return backplane._address["host"], backplane._address["port"], backplane._address["user"]

    assert place() == ("pooler", 6432, "u")
    assert place(listen_host="direct", listen_port=5432) == ("direct", 5432, "u")
    assert place(listen_port=5432) == ("pooler", 5432, "u")


@pytest.mark.integration
def test_one_commit_per_post_answers_in_the_order_of_the_input(postgres: Postgres) -> None:
    """Each message has its own transaction. The seqs have no gap."""
    channel = fresh()

    async def main() -> None:
        log = PostgresqlLog(PostgresAddress(**postgres.settings), name="test", statement_timeout_ms=5_000)
        await log.start(10)
        log.one_commit_per_post = True
        texts = [f"text {n}" for n in range(30)]
        rows = await log.append([channel] * 30, texts, [None] * 30)
        history, newest = await log.history(channel, 0, 100)
        assert newest == 30
        assert {seq: text for (seq, _), text in zip(rows, texts, strict=True)} == dict(history)
        log.close()

    asyncio.run(main())


@pytest.mark.integration
def test_a_server_without_its_listener_still_publishes(postgres: Postgres) -> None:
    """The listener of the server has no connection. Its publications still reach the others."""
    channel = fresh()

    async def main() -> None:
        async with notifying(postgres, channel) as (_, receiver):
            address = PostgresAddress(**postgres.settings)
            publisher = PostgresqlConnection(address, name="publisher", statement_timeout_ms=5_000)
            nowhere = publisher.address | {"port": 1}
            deaf = PostgresNotify(nowhere, publisher, name="deaf", inside=False, metrics=Metrics())
            assert not deaf.publish([outgoing(channel, 1, "too early")])
            running = asyncio.create_task(deaf.run(FakeReceiver()))
            await asyncio.sleep(0)
            assert deaf.publish([outgoing(channel, 2, "heard")])
            await until(lambda: ("message", *outgoing(channel, 2, "heard")) in receiver.events)
            assert not deaf.up
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())


@pytest.mark.integration
@pytest.mark.parametrize("backend", ["listener", "publisher"])
def test_a_killed_backend_is_noticed_and_replaced(postgres: Postgres, backend: str) -> None:
    """A killed listener reports down, up and every channel again. After a killed publisher new messages arrive
    again."""
    channel = fresh()

    async def main() -> None:
        async with notifying(postgres, channel) as (backplane, receiver):
            backplane.publish([outgoing(channel, 1, "a")])
            await until(lambda: len(receiver.events) == 3)
            killer = await asyncpg.connect(**postgres.settings)
            assert await killer.fetch(KILL, backend)
            if backend == "listener":
                await until(lambda: receiver.events[3:] == [("down",), ("up",), ("subscribed", channel)])

            def published() -> bool:
                backplane.publish([outgoing(channel, 2, "b")])
                return ("message", *outgoing(channel, 2, "b")) in receiver.events

            await until(published)
            await killer.close()

    asyncio.run(main())
