"""The lease of a mesh server, with a database that answers, fails or stays silent."""

import asyncio
import logging
from typing import Any

import pytest

from reference_server.backplane import mesh_lease
from reference_server.backplane.mesh_lease import MeshLease
from reference_server.message_log.base import LogUnavailable
from tests.reference_server.fakes import until


class Database:
    """Records its statements. With ``away`` it refuses them, and with ``silent`` it never answers."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.alive = ["server-1", "server-2"]
        self.away = False
        self.silent = False
        self.closed = False

    async def execute(self, statement: str) -> None:
        await self._answer(statement)

    async def fetch(self, statement: str, *arguments: object) -> list[tuple[str]]:
        await self._answer(statement)
        return [(name,) for name in self.alive] if "SELECT name" in statement else []

    async def _answer(self, statement: str) -> None:
        self.statements.append(statement.split()[0])
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            raise LogUnavailable("down")

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the renewal interval and the time limit to milliseconds."""
    monkeypatch.setattr(mesh_lease, "RENEW_S", 0.01)
    monkeypatch.setattr(mesh_lease, "ANSWER_TIMEOUT_S", 0.02)


class Held:
    """A lease that a task renews. ``seen`` collects the reported sets of living servers."""

    def __init__(self, database: Database) -> None:
        self.seen: list[set[str]] = []
        connection: Any = database
        self.task = asyncio.create_task(MeshLease(connection, "server-1", self.seen.append).run())

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))


def test_the_table_is_made_once_and_the_lease_renewed_until_it_is_given_up() -> None:
    """The other servers then need not wait until the lease expires."""

    async def main() -> None:
        database = Database()
        held = Held(database)
        await until(lambda: len(held.seen) >= 3)
        await held.end()
        assert held.seen[0] == {"server-1", "server-2"}
        assert database.statements[:4] == ["SELECT", "INSERT", "SELECT", "INSERT"]
        assert database.statements.count("SELECT") - 1 in (len(held.seen), len(held.seen) + 1)
        assert database.statements[-1] == "DELETE"
        assert database.closed

    asyncio.run(main())


def test_while_the_database_is_away_no_server_is_declared_dead(caplog: pytest.LogCaptureFixture) -> None:
    """The last answer stays valid, and the whole outage logs one warning. Afterwards the table is created again,
    because a crash empties it."""

    async def main() -> None:
        database = Database()
        held = Held(database)
        await until(lambda: held.seen)
        database.away = True
        database.statements.clear()
        await until(lambda: len(database.statements) >= 4)
        told = len(held.seen)
        database.alive, database.away = ["server-1"], False
        await until(lambda: len(held.seen) > told)
        assert held.seen[:told] == [{"server-1", "server-2"}] * told
        assert held.seen[told] == {"server-1"}
        # Each failed try began with the table, because the lease cannot know that the table exists.
        assert database.statements[1] == "SELECT"
        await held.end()

    with caplog.at_level(logging.WARNING, logger=mesh_lease.__name__):
        asyncio.run(main())
    assert [record.message for record in caplog.records] == ["mesh: the lease is not renewed: down"]


@pytest.mark.parametrize("fails", ["away", "silent"])
def test_the_end_does_not_wait_for_a_database_that_fails(fails: str) -> None:
    """A server must be able to stop. The lease then expires by itself."""

    async def main() -> None:
        database = Database()
        setattr(database, fails, True)
        held = Held(database)
        await until(lambda: len(database.statements) >= 2)
        assert held.seen == []
        await held.end()
        assert database.statements[-1] == "DELETE"
        assert database.closed

    asyncio.run(main())
