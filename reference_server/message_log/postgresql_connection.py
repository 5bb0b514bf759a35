"""One connection to PostgreSQL. It is opened when it is needed, and opened again after it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from reference_server.message_log.base import LogUnavailable, OutcomeUnknown
from reference_server.message_log.postgresql_address import Postgres

CONNECT_TIMEOUT_S = 2.0
CLIENT_MARGIN_S = 1.0
"""How much longer the client waits than PostgreSQL does. After PostgreSQL's own time-out it is certain that nothing was
stored; after the client's it is not."""


class PostgresqlConnection:
    """Runs one statement at a time, each in its own transaction. It never repeats a statement."""

    def __init__(self, postgres: Postgres | str, *, name: str, statement_timeout_ms: int, **settings: str) -> None:
        self.address: dict[str, Any] = (
            {"dsn": postgres}
            if isinstance(postgres, str)
            else {
                "host": postgres.host,
                "port": postgres.port,
                "user": postgres.user,
                "password": postgres.password,
                "database": postgres.database,
                "ssl": postgres.sslmode,
            }
        )
        self._settings = {
            "application_name": name,
            "statement_timeout": str(statement_timeout_ms),
            "default_transaction_isolation": "read committed",
            "jit": "off",
            # The connection keeps the plans of its few statements, and makes the first ones while the tables are empty.
            # At that moment it would choose a sequential scan or a hash join, and keep it when the tables are large.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            **settings,
        }
        self._timeout_s = statement_timeout_ms / 1000 + CLIENT_MARGIN_S
        self._connection: asyncpg.Connection | None = None
        self._lock = asyncio.Lock()

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """The statement's rows, after COMMIT. Raises LogUnavailable or OutcomeUnknown within a bounded time."""
        async with self._exclusive(), self._connected() as connection:
            # asyncpg has no type information
            return await connection.fetch(statement, *arguments, timeout=self._timeout_s)  # type: ignore[no-any-return]  # asyncpg has none

    async def execute(self, script: str) -> None:
        """Several statements without arguments, all in one transaction. Raises like ``fetch``."""
        async with self._exclusive(), self._connected() as connection:
            await connection.execute(script, timeout=self._timeout_s)

    def close(self) -> None:
        self._drop()

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[None]:
        """Wait for the statements that came before, no longer than one of them may take, however many there are. While
        PostgreSQL is frozen, each takes its full time-out."""
        limit_s = CONNECT_TIMEOUT_S + self._timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._lock.acquire()
        except TimeoutError:
            raise LogUnavailable(f"the statements before this one have not ended within {limit_s:.0f} s") from None
        try:
            yield
        finally:
            self._lock.release()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection. Its failures inside the block become LogUnavailable or OutcomeUnknown."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        try:
            yield self._connection
        except asyncpg.PostgresError as error:
            if _leaves_outcome_open(error):
                self._drop()
                raise OutcomeUnknown(str(error)) from error
            raise LogUnavailable(str(error)) from error
        except TimeoutError as error:
            self._drop()
            raise OutcomeUnknown(f"no answer within {self._timeout_s:.0f} s") from error
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # InternalClientError: asyncpg was still reading PostgreSQL's last message when the statement came.
            self._drop()
            raise OutcomeUnknown(str(error)) from error
        except asyncio.CancelledError:
            # The abandoned statement would make the next one on this connection wait for its end, without a limit.
            self._drop()
            raise

    async def _connect(self) -> asyncpg.Connection:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await asyncpg.connect(**self.address, server_settings=self._settings)
        except TimeoutError as error:
            raise LogUnavailable(f"could not connect within {CONNECT_TIMEOUT_S:.0f} s") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise LogUnavailable(f"could not connect: {error}") from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _leaves_outcome_open(error: asyncpg.PostgresError) -> bool:
    """Whether a statement that ended with this error may still be committed.

    When PostgreSQL reports an error, it has rolled the statement back. Two classes are different: 08 (asyncpg reports
    that the connection was lost in the middle) and 57P (PostgreSQL ends the session, perhaps between COMMIT and its
    confirmation).
    """
    state = error.sqlstate or "08000"
    return state.startswith(("08", "57P"))
