"""The lease of a server of the mesh: renewed, kept over an outage of PostgreSQL, given up at the end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from reference_server.backplane import mesh_lease
from reference_server.backplane.mesh_lease import MeshLease
from reference_server.message_log.base import LogError
from tests.reference_server.fakes import until


class FakeConnection:
    """PostgreSQL with one table of leases. It fails while ``away``, and takes for ever while ``frozen``."""

    def __init__(self) -> None:
        self.alive = ["server-1", "server-2"]
        self.statements: list[str] = []
        self.away = self.frozen = self.closed = False

    async def execute(self, statement: str) -> None:
        await self._answer(statement)

    async def fetch(self, statement: str, *_: str) -> list[tuple[str]]:
        await self._answer(statement)
        return [(name,) for name in self.alive]

    def close(self) -> None:
        self.closed = True

    async def _answer(self, statement: str) -> None:
        self.statements.append(statement.split()[0])
        if self.frozen:
            await asyncio.Event().wait()
        if self.away:
            raise LogError("away")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_lease, "RENEW_S", 0.001)
    monkeypatch.setattr(mesh_lease, "ANSWER_TIMEOUT_S", 0.01)


def leased(test: Callable[[FakeConnection, list[set[str]]], Any]) -> FakeConnection:
    """Run ``test`` while the lease is held, then end the lease."""
    connection, told = FakeConnection(), list[set[str]]()

    async def main() -> None:
        lease = MeshLease(connection, "server-1", told.append)  # type: ignore[arg-type]  # a fake
        running = asyncio.create_task(lease.run())
        await test(connection, told)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()

    asyncio.run(main())
    return connection


def test_each_renewal_tells_who_lives_and_the_end_gives_the_lease_up() -> None:
    """The table is made once."""

    async def test(connection: FakeConnection, told: list[set[str]]) -> None:
        await until(lambda: len(told) >= 2)
        connection.alive = ["server-1"]
        await until(lambda: told[-1] == {"server-1"})
        assert told[0] == {"server-1", "server-2"}

    connection = leased(test)
    assert connection.statements[:4] == ["SELECT", "INSERT", "SELECT", "INSERT"]
    assert connection.statements[-1] == "DELETE"
    assert connection.closed


@pytest.mark.parametrize("failure", ["away", "frozen"])
def test_nobody_is_declared_dead_while_postgresql_is_away(failure: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again, with the table made anew; one warning an outage."""

    async def test(connection: FakeConnection, told: list[set[str]]) -> None:
        await until(lambda: bool(told))
        setattr(connection, failure, True)
        asked = len(connection.statements)
        await until(lambda: len(connection.statements) >= asked + 4)
        heard = len(told)
        await until(lambda: len(connection.statements) >= asked + 6)
        assert len(told) == heard
        setattr(connection, failure, False)
        await until(lambda: len(told) > heard)
        again = connection.statements[asked:]
        assert again[-3:] == ["SELECT", "INSERT", "SELECT"], "the table, the lease, who lives"

    leased(test)
    assert len([record for record in caplog.records if "not renewed" in record.message]) == 1


@pytest.mark.parametrize("failure", ["away", "frozen"])
def test_the_end_does_not_wait_for_postgresql(failure: str) -> None:
    """The lease then ends by itself."""

    async def test(connection: FakeConnection, told: list[set[str]]) -> None:
        await until(lambda: bool(told))
        setattr(connection, failure, True)

    assert leased(test).closed
