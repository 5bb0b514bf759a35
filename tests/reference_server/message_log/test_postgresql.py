import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.message_log.postgresql_address import Postgres as PostgresAddress
from tests.reference_server.stack import Postgres, fresh

pytestmark = pytest.mark.integration


def with_logs(postgres: Postgres, count: int, use: Callable[..., Awaitable[None]], address: str | None = None) -> None:
    async def main() -> None:
        where = address or PostgresAddress(**postgres.settings)
        async with AsyncExitStack() as closing:
            logs = [PostgresqlLog(where, name="test", statement_timeout_ms=5_000) for _ in range(count)]
            for log in logs:
                closing.callback(log.close)
            await asyncio.gather(*[log.start(10) for log in logs])
            await use(*logs)

    asyncio.run(main())


def test_the_database_may_be_named_by_an_address(postgres: Postgres) -> None:
    """A postgresql:// address works as well as an object."""

    async def use(log: PostgresqlLog) -> None:
        assert await log.ping()

    with_logs(postgres, 1, use, f"postgresql://postgres@/postgres?host={postgres.folder}&port={postgres.port}")


def test_a_batch_is_answered_in_its_own_order(postgres: Postgres) -> None:
    """Each channel counts its seqs in the order of the input. Each row gets its own answer."""
    a, b = fresh(), fresh()

    async def use(log: PostgresqlLog) -> None:
        assert await log.append([b, a, b], ["1", "2", "3"], [None, None, None]) == [
            (1, False),
            (1, False),
            (2, False),
        ]
        assert await log.append([a, b], ["4", "5"], [None, None]) == [(2, False), (3, False)]
        assert await log.history(b, 1, 10) == ([(2, "3"), (3, "5")], 3)

    with_logs(postgres, 1, use)


def test_equal_ids_in_one_batch_are_one_message(postgres: Postgres) -> None:
    """The first post is stored, and the others are its duplicates. The same id in another channel is another id."""
    a, b = fresh(), fresh()

    async def use(log: PostgresqlLog) -> None:
        rows = await log.append([a, a, b, a, a], ["1", "2", "3", "4", "5"], ["i", "i", "i", None, "j"])
        assert rows == [(1, False), (1, True), (1, False), (2, False), (3, False)]
        assert await log.append([a], ["6"], ["j"]) == [(3, True)]
        assert (await log.newest([a, b, fresh()])) == {a: 3, b: 1}
        assert (await log.newer([(a, 2), (b, 1), (fresh(), 0)])) == {a: 3}
        assert (await log.newer([])) == {}

    with_logs(postgres, 1, use)


def test_reading_on_is_bounded_and_in_order(postgres: Postgres) -> None:
    """One read answers several questions, also two about one channel. Each has its own page."""
    a, b = fresh(), fresh()

    async def use(log: PostgresqlLog) -> None:
        await log.append([a] * 5 + [b], [*"12345", "x"], [None] * 6)
        found = await log.after([(b, 0), (a, 3), (fresh(), 0), (a, 0)], 3)
        assert found == [[(1, "x")], [(4, "4"), (5, "5")], [], [(1, "1"), (2, "2"), (3, "3")]]

    with_logs(postgres, 1, use)


def test_from_mark_to_mark_no_commit_is_missed(postgres: Postgres) -> None:
    """One transaction began before others that were read, and committed after them. Its message is read too."""
    early, late, more = fresh(), fresh(), fresh()

    async def use(log: PostgresqlLog) -> None:
        mark, rows = await log.since(None, 10)
        assert rows == []
        slow = await asyncpg.connect(
            host=str(postgres.folder), port=postgres.port, user="postgres", database="postgres"
        )
        transaction = slow.transaction()
        await transaction.start()
        await slow.fetch(schema.APPEND, [late], ["slow"], [None])
        await log.append([early, early], ["1", "2"], [None, None])
        mark, rows = await log.since(mark, 10)
        assert [row for row in rows if row[0] in (early, late)] == [(early, 1, "1"), (early, 2, "2")]
        await transaction.commit()
        await slow.close()
        mark, rows = await log.since(mark, 10)
        assert (late, 1, "slow") in rows
        mark, rows = await log.since(mark, 10)
        assert rows == []
        await log.append([more] * 3, ["1", "2", "3"], [None] * 3)
        assert len((await log.since(mark, 2))[1]) == 2

    with_logs(postgres, 1, use)


def test_servers_that_write_at_once_leave_no_gap_and_no_repetition(postgres: Postgres) -> None:
    """Three servers write batches over the same channels in different orders. Some channels are new, and some ids are
    posted through several servers. There is no deadlock, each channel has the seqs 1 … n, each id is stored once, and
    each id always gets the same answer."""
    channels = [fresh() for _ in range(6)]
    answers: dict[tuple[str, str], set[int]] = {}
    stored = [0]

    async def write(log: PostgresqlLog, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(40):
            size = rng.randint(1, 12)
            names = [rng.choice(channels) for _ in range(size)]
            ids = [rng.choice((None, f"id-{rng.randint(0, 150)}")) for _ in range(size)]
            rows = await log.append(names, [f"{id_}" for id_ in ids], ids)
            stored[0] += sum(not duplicate for _, duplicate in rows)
            for name, id_, (seq, _) in zip(names, ids, rows, strict=True):
                if id_ is not None:
                    answers.setdefault((name, id_), set()).add(seq)

    async def use(*logs: PostgresqlLog) -> None:
        await asyncio.gather(*[write(log, seed) for seed, log in enumerate(logs)])
        newest = await logs[0].newest(channels)
        assert sum(newest.values()) == stored[0]
        for channel in channels:
            rows, last_seq = await logs[1].history(channel, 0, 10_000)
            assert [seq for seq, _ in rows] == list(range(1, last_seq + 1))
            ids = [text for _, text in rows if text != "None"]
            assert len(ids) == len(set(ids))

    with_logs(postgres, 3, use)
    assert all(len(seqs) == 1 for seqs in answers.values())


def test_the_newest_is_never_older_than_what_was_read(postgres: Postgres) -> None:
    """The history is read before the channel's newest seq. So ``last_seq`` covers every message in the answer."""
    channel = fresh()

    async def use(writer: PostgresqlLog, reader: PostgresqlLog) -> None:
        async def write() -> None:
            for n in range(100):
                await writer.append([channel], [str(n)], [None])

        writing = asyncio.create_task(write())
        while not writing.done():
            rows, newest = await reader.history(channel, 0, 1_000)
            assert not rows or rows[-1][0] <= newest
        await writing

    with_logs(postgres, 2, use)


def test_a_session_may_commit_before_the_flush(postgres: Postgres) -> None:
    """The session sets it only on request. Otherwise the database's own setting applies."""

    async def main() -> list[str]:
        found = []
        for synchronous in (True, False):
            log = PostgresqlLog(
                PostgresAddress(**postgres.settings),
                name="test",
                statement_timeout_ms=5_000,
                synchronous_commit=synchronous,
            )
            found += [row[0] for row in await log._writer.fetch("SHOW synchronous_commit")]
            log.close()
        return found

    assert asyncio.run(main()) == ["on", "off"]
