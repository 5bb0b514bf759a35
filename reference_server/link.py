"""One connection to PostgreSQL that is made when it is needed and made anew after it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from reference_server.settings import Postgres

CONNECT_TIMEOUT_S = 2.0
CLIENT_MARGIN_S = 1.0
"""How much longer we wait than PostgreSQL itself does: its own time-out is certain, ours is not."""


class DatabaseError(Exception):
    """The database did not do what it was asked."""


class DatabaseUnavailable(DatabaseError):
    """It is certain that nothing was committed."""


class OutcomeUnknown(DatabaseError):
    """The connection was lost, or time ran out, after the statement was sent: it may or may not be committed."""


class Link:
    """One statement at a time, each in a transaction of its own, never repeated by itself."""

    def __init__(self, postgres: Postgres | str, *, name: str, statement_timeout_ms: int, **settings: str) -> None:
        self._address: dict[str, Any] = (
            {"dsn": postgres}
            if isinstance(postgres, str)
            else {
                "host": postgres.host,
                "port": postgres.port,
                "user": postgres.user,
                "password": postgres.password,
                "database": postgres.database,
            }
        )
        self._settings = {
            "application_name": name,
            "statement_timeout": str(statement_timeout_ms),
            "default_transaction_isolation": "read committed",
            "jit": "off",
            # The plans of our few statements are kept for as long as the connection lives, and the first are made while
            # the tables are still empty: a sequential scan or a hash join, right then, would be kept and ruin us later.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            **settings,
        }
        self._timeout_s = statement_timeout_ms / 1000 + CLIENT_MARGIN_S
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """The statement's rows, after COMMIT. Raises DatabaseUnavailable or OutcomeUnknown within a bounded time."""
        async with self._my_turn(), self._connected() as connection:
            return await connection.fetch(statement, *arguments, timeout=self._timeout_s)  # type: ignore[no-any-return]

    async def execute(self, script: str) -> None:
        """Several statements without arguments, all in one transaction. Raises like ``fetch``."""
        async with self._my_turn(), self._connected() as connection:
            await connection.execute(script, timeout=self._timeout_s)

    def close(self) -> None:
        self._drop()

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        """Behind those who asked before: no longer than one of them may take, however many they are. While PostgreSQL is
        frozen each takes all its time."""
        limit_s = CONNECT_TIMEOUT_S + self._timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await self._turn.acquire()
        except TimeoutError:
            raise DatabaseUnavailable(f"others have waited for it for {limit_s:.0f} s") from None
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, whose failures inside the block become ours."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        try:
            yield self._connection
        except asyncpg.PostgresError as error:
            if _says_nothing_of_the_outcome(error):
                self._drop()
                raise OutcomeUnknown(str(error)) from error
            raise DatabaseUnavailable(str(error)) from error
        except TimeoutError as error:
            self._drop()
            raise OutcomeUnknown(f"no answer within {self._timeout_s:.0f} s") from error
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            # The last of them: asyncpg is still reading PostgreSQL's farewell when the statement comes.
            self._drop()
            raise OutcomeUnknown(str(error)) from error
        except asyncio.CancelledError:
            # A connection with a statement abandoned on it would make the next one wait for its end, without a limit.
            self._drop()
            raise

    async def _connect(self) -> asyncpg.Connection:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await asyncpg.connect(**self._address, server_settings=self._settings)
        except TimeoutError as error:
            raise DatabaseUnavailable(f"could not connect within {CONNECT_TIMEOUT_S:.0f} s") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise DatabaseUnavailable(f"could not connect: {error}") from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _says_nothing_of_the_outcome(error: asyncpg.PostgresError) -> bool:
    """Whether a statement that ended in this error may be committed nevertheless.

    An error that PostgreSQL reports has rolled the statement back. Two classes are different: 08 (asyncpg says that the
    connection was lost in the middle) and 57P (the session is terminated, which can come between COMMIT and its
    confirmation).
    """
    state = error.sqlstate or "08000"
    return state.startswith(("08", "57P"))
