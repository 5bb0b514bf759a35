"""The poll with a real PostgreSQL, because its transactions decide what the poll must find."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from reference_server.backplane import postgres_poll
from reference_server.backplane.base import Outgoing
from reference_server.backplane.postgres_poll import PostgresPoll
from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.message_log.postgresql_address import Postgres as PostgresAddress
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame
from tests.reference_server.fakes import FakeReceiver, until
from tests.reference_server.stack import Postgres, fresh

pytestmark = pytest.mark.integration


@asynccontextmanager
async def polling(
    postgres: Postgres, *channels: str, metrics: Metrics | None = None
) -> AsyncIterator[tuple[PostgresPoll, FakeReceiver, PostgresqlLog]]:
    """A running poll that is subscribed to ``channels``, its receiver, and a log to append to."""
    address = PostgresAddress(**postgres.settings)
    log = PostgresqlLog(address, name="test", statement_timeout_ms=5_000)
    await log.start(10)
    connection = PostgresqlConnection(address, name="poll", statement_timeout_ms=5_000)
    backplane, receiver = PostgresPoll(connection, interval_ms=5, metrics=metrics or Metrics()), FakeReceiver()
    backplane.subscribe(channels)
    running = asyncio.create_task(backplane.run(receiver))
    try:
        await until(lambda: backplane.up)
        yield backplane, receiver, log
    finally:
        running.cancel()
        await asyncio.wait((running,))
        log.close()


def seqs_of(receiver: FakeReceiver, channel: str) -> list[int]:
    return [event[2] for event in receiver.events if event[:2] == ("message", channel)]


def test_a_committed_message_arrives_once_with_its_frame(postgres: Postgres) -> None:
    """Only subscribed servers get the message. It arrives once, although reads overlap. The other message came to this
    server too, and is counted as unwanted."""
    wanted, other = fresh(), fresh()
    metrics = Metrics()

    async def main() -> None:
        async with polling(postgres, wanted, metrics=metrics) as (backplane, receiver, log):
            assert receiver.events[:2] == [("up",), ("subscribed", wanted)]
            assert backplane.publish([Outgoing(wanted, 1, b"")])
            await log.append([other, wanted], ["not for us", "hello"], [None, None])
            await until(lambda: seqs_of(receiver, wanted))
            await asyncio.sleep(0.05)
            assert receiver.events[2:] == [("message", wanted, 1, message_frame(wanted, 1, "hello"))]
            assert metrics.unwanted >= 1

    asyncio.run(main())


@pytest.mark.parametrize("seed", range(3))
def test_messages_committed_out_of_order_are_not_skipped(postgres: Postgres, seed: int) -> None:
    """Transactions begin in one order and commit in another. Some commit long after later ones were read. Every message
    arrives, in the order of its channel."""
    rng = random.Random(seed)
    channels = [fresh() for _ in range(12)]

    async def post(connection: asyncpg.Connection, channel: str) -> None:
        async with connection.transaction():
            await connection.fetch(schema.APPEND, [channel], ["text"], [None])
            await asyncio.sleep(rng.choice((0, 0.002, 0.03)))

    async def main() -> None:
        async with polling(postgres, *channels) as (_, receiver, _log):
            connections = [await asyncpg.connect(**postgres.settings) for _ in channels]

            async def write(connection: asyncpg.Connection) -> None:
                for _ in range(10):
                    await post(connection, rng.choice(channels))

            await asyncio.gather(*map(write, connections))
            counts = dict(
                await connections[0].fetch("SELECT name, last_seq FROM channels WHERE name = ANY ($1)", channels)
            )
            assert sum(counts.values()) == 120
            await until(lambda: all(len(seqs_of(receiver, name)) >= count for name, count in counts.items()))
            for name, count in counts.items():
                assert seqs_of(receiver, name) == list(range(1, count + 1))
            for connection in connections:
                await connection.close()

    asyncio.run(main())


def test_a_message_that_waits_for_the_next_read_is_not_missing() -> None:
    """The gateway's grace is longer than the interval. Otherwise the gateway would read every second message from the
    log as lost."""
    section = postgres_poll.PostgresPollSettings(interval_ms=50)
    assert postgres_poll.KIND.delay_s(section) >= 0.1


@pytest.mark.parametrize(
    ("took_s", "pause_s"),
    [
        (0.0, 0.05),
        (0.01, 0.04),
        (0.03, 0.03),  # as long as the read
        (0.05, 0.05),
        (1.9, 0.05),  # PostgreSQL was frozen
    ],
)
def test_a_slow_read_delays_the_next_one_by_at_most_an_interval(took_s: float, pause_s: float) -> None:
    """After a frozen PostgreSQL goes on, its messages are read at once."""
    assert postgres_poll.pause_after(took_s, 0.05) == pytest.approx(pause_s)


def test_more_than_one_answer_holds_is_pointed_at(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """One read returns a limited number of rows. The channels' counters announce the other messages."""
    monkeypatch.setattr(postgres_poll, "ROWS_PER_READ", 3)
    channel = fresh()

    async def main() -> None:
        async with polling(postgres, channel) as (_, receiver, log):
            await log.append([channel] * 10, ["text"] * 10, [None] * 10)
            await until(lambda: ("newer", channel, 10) in receiver.events)

    asyncio.run(main())


def test_what_was_committed_while_the_connection_was_lost_arrives(postgres: Postgres) -> None:
    """The poll keeps its mark when the connection is lost, so it misses nothing."""
    channel = fresh()

    async def main() -> None:
        async with polling(postgres, channel) as (_, receiver, log):
            killer = await asyncpg.connect(**postgres.settings)
            kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'poll'"
            assert await killer.fetch(kill)
            await log.append([channel], ["text"], [None])
            await until(lambda: seqs_of(receiver, channel) == [1])
            await killer.close()

    asyncio.run(main())
