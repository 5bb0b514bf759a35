"""Ending sessions in a real PostgreSQL, as the fault of a link."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from harness.environments import sessions as module
from harness.environments.sessions import Sessions
from harness.model.cluster import Endpoint
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from tests.reference_server.stack import Postgres, running_postgres

LINK = "server-2_database"


@asynccontextmanager
async def session(postgres: Postgres, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(**postgres.settings, server_settings={"application_name": name})
    try:
        yield connection
    finally:
        connection.terminate()


async def ended(connection: asyncpg.Connection) -> bool:
    async with asyncio.timeout(5):
        while not connection.is_closed():
            await asyncio.sleep(0.005)
    return True


def test_what_the_database_can_end_is_a_link_of_such_a_backplane() -> None:
    """The database can only kill the link of a backplane that listens to it. Other faults and other parts belong to the
    environment."""
    database = Endpoint(kind="postgresql", host="127.0.0.1", port=1, password="")
    notify, mesh = Sessions(database, "postgres-notify"), Sessions(database, "mesh")
    assert notify.can(FaultKind.KILL, LINK)
    assert not notify.can(FaultKind.PAUSE, LINK)
    assert not notify.can(FaultKind.KILL, "database")
    assert not mesh.can(FaultKind.KILL, "server-2_server-1")


@pytest.mark.integration
def test_a_listener_is_ended_again_and_again_until_it_is_healed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill ends the listener's session repeatedly, a restart ends it once. Sessions with other names are not touched.
    A missing session is an error."""
    monkeypatch.setattr(module, "FOUND_LIMIT_S", 0.3)

    async def main(postgres: Postgres) -> None:
        database = Endpoint(kind="postgresql", password="", **postgres.settings)
        sessions = Sessions(database, "postgres-notify")
        name = "server-2 backplane listener"
        async with session(postgres, "server-1 backplane listener") as other, session(postgres, "server-2 log") as log:
            with pytest.raises(EnvironmentFailure, match="no session 'server-2 backplane listener' in PostgreSQL"):
                await sessions.inject(FaultKind.KILL, LINK)
            async with session(postgres, name) as first:
                seen = await sessions.inject(FaultKind.KILL, LINK)
                assert seen["ended"] == f"pg_terminate_backend({first.get_server_pid()})"
                assert await ended(first)
            async with session(postgres, name) as second:
                assert await ended(second)
            await sessions.heal(FaultKind.KILL, LINK)
            async with session(postgres, name) as third:
                await asyncio.sleep(5 * module.LOOK_S)
                assert await third.fetchval("SELECT 1") == 1
                await sessions.inject(FaultKind.RESTART, LINK)
                assert await ended(third)
            async with session(postgres, name) as fourth:
                await sessions.heal(FaultKind.RESTART, LINK)
                await asyncio.sleep(5 * module.LOOK_S)
                assert await fourth.fetchval("SELECT 1") == 1
                await sessions.inject(FaultKind.KILL, LINK)
            await sessions.close()
            assert await other.fetchval("SELECT 1") == await log.fetchval("SELECT 1") == 1

    with running_postgres() as postgres:
        asyncio.run(main(postgres))


@pytest.mark.integration
def test_a_database_that_goes_away_meanwhile_is_an_error() -> None:
    """The fault was not the planned one, so its heal raises an error."""

    async def main() -> None:
        with running_postgres() as postgres:
            database = Endpoint(kind="postgresql", password="", **postgres.settings)
            sessions = Sessions(database, "postgres-notify")
            async with session(postgres, "server-2 backplane listener"):
                await sessions.inject(FaultKind.KILL, LINK)
        async with asyncio.timeout(10):
            await asyncio.wait({sessions._ending[LINK]})
        with pytest.raises(EnvironmentFailure, match="cannot be ended in PostgreSQL"):
            await sessions.heal(FaultKind.KILL, LINK)

    asyncio.run(main())
