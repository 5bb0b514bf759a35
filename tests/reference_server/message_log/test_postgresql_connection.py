"""Failures between a server and PostgreSQL become the errors that the write path handles."""

import asyncio
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from reference_server.message_log.base import OutcomeUnknown
from reference_server.message_log.postgresql_address import Postgres
from reference_server.message_log.postgresql_connection import PostgresqlConnection


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        ConnectionResetError("reset"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_connection_leaves_the_outcome_open(error: Exception) -> None:
    """asyncpg raises these errors when PostgreSQL ends. The outcome is unknown, and the next statement reconnects."""
    ended = []

    async def fetch(*_: object, **__: object) -> None:
        raise error

    async def scenario() -> None:
        link = PostgresqlConnection(Postgres(host="nowhere"), name="test", statement_timeout_ms=100)
        pretended: Any = SimpleNamespace(fetch=fetch, is_closed=lambda: False, terminate=lambda: ended.append(True))
        link._connection = pretended
        with pytest.raises(OutcomeUnknown):
            await link.fetch("SELECT 1")
        assert link._connection is None

    asyncio.run(scenario())
    assert ended == [True]
