"""PostgreSQL as a component: readiness, settings, counters."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from harness.components.adapter import Counters
from harness.model.cluster import Endpoint
from harness.model.errors import EnvironmentFailure, NeverReady
from harness.model.tls import Tls, certificate_problem, tls_context

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers"),
    *("max_wal_size", "max_connections", "autovacuum"),
)

_EXPLICIT = {"direct_tls": False, "target_session_attrs": "any", "krbsrvname": "postgres", "gsslib": "gssapi"}
"""Otherwise asyncpg would read these from PGSSLNEGOTIATION, PGTARGETSESSIONATTRS, PGKRBSRVNAME and PGGSSLIB."""
_CONNECTING = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_NEVER = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""Refusals that waiting does not change: password, role, pg_hba.conf, database."""
WAITS = """
SELECT wait_event_type || '_' || wait_event, count(*) FROM pg_stat_activity
WHERE state = 'active' AND wait_event IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1
"""
"""What statements wait for at this moment: ``Lock_object`` is the lock that a notifying transaction holds until its log
is flushed."""

# MATERIALIZED: else the planner may ask the function first, of sessions with other names too. The function's second
# argument: return when the session is gone, or after so many milliseconds.
_END_SESSIONS = """
WITH named AS MATERIALIZED (
    SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND backend_type = 'client backend'
)
SELECT pid FROM named WHERE pg_terminate_backend(pid, 1000)
"""


async def connect(endpoint: Endpoint, *, timeout_s: float, purpose: str = "") -> asyncpg.Connection:
    """A connection under the name ``harness PURPOSE``, by the endpoint alone and not by the user's environment
    (PGSSLMODE, PGHOST, PGSERVICE …). Raises what asyncpg raises."""
    try:
        return await _connect(endpoint, endpoint.tls, timeout_s, purpose)
    except ConnectionError:
        # asyncpg's error if the server offers no TLS.
        if endpoint.tls is None or not endpoint.tls_optional:
            raise
        return await _connect(endpoint, None, timeout_s, purpose)


async def _connect(endpoint: Endpoint, tls: Tls | None, timeout_s: float, purpose: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        **endpoint.arguments,
        **_EXPLICIT,
        ssl=False if tls is None else tls_context(tls),
        timeout=timeout_s,
        server_settings={"application_name": f"harness {purpose}".strip()},
    )


@asynccontextmanager
async def session_ender(
    endpoint: Endpoint, name: str, *, timeout_s: float
) -> AsyncIterator[Callable[[], Awaitable[list[int]]]]:
    """Inside the block: a function that ends every session of the application ``name`` and returns their process ids when
    they are gone. Raises EnvironmentFailure, out of the block, where PostgreSQL does not do it within ``timeout_s``."""
    connection = None

    async def end() -> list[int]:
        assert connection is not None, "called inside the block"
        return [int(row[0]) for row in await connection.fetch(_END_SESSIONS, name, timeout=timeout_s)]

    try:
        connection = await connect(endpoint, timeout_s=timeout_s, purpose="fault injection")
        yield end
    except _CONNECTING as error:
        reason = str(error) or type(error).__name__
        raise EnvironmentFailure(f"the session {name!r} cannot be ended in PostgreSQL: {reason}") from error
    finally:
        if connection is not None:
            connection.terminate()


def quoted(table: str) -> str:
    """``table`` or ``schema.table`` as SQL identifiers."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in table.split("."))


class PostgresqlAdapter:
    errors: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """A connection must really work: PostgreSQL listens before it accepts sessions."""
        try:
            connection = await connect(endpoint, timeout_s=ANSWER_TIMEOUT_S)
        except (*_NEVER, ssl.SSLError) as error:
            raise NeverReady(f"PostgreSQL at {endpoint.place} refuses: {error}") from error
        except _CONNECTING as error:
            return str(error) or type(error).__name__
        await connection.close(timeout=ANSWER_TIMEOUT_S)
        return None

    async def no_access(self, endpoint: Endpoint, table: str) -> str | None:
        sampler = PostgresqlSampler(endpoint, ANSWER_TIMEOUT_S)
        try:
            await sampler.sample()
            if table:
                await sampler.look_at(table)
        except ssl.SSLCertVerificationError as error:
            return f"{certificate_problem(error)} (for a database: sslrootcert=FILE, sslmode=require)"
        except (*_CONNECTING, TimeoutError) as error:
            return str(error) or f"no answer within {ANSWER_TIMEOUT_S:g} s"
        finally:
            await sampler.close()
        return None

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        try:
            connection = await connect(endpoint, timeout_s=SETTINGS_TIMEOUT_S)
        except _CONNECTING:
            return {}
        try:
            rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY ($1)", SETTINGS)
            return {row["name"]: row["setting"] for row in rows}
        finally:
            await connection.close()

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> "PostgresqlSampler":
        return PostgresqlSampler(endpoint, timeout_s)


class PostgresqlSampler:
    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._connection: asyncpg.Connection | None = None

    async def sample(self) -> Counters:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._endpoint, timeout_s=self._timeout_s, purpose="telemetry")
        # PostgreSQL 18 counts syncs of its log with all other input and output; before, they had a column of their own.
        recent = self._connection.get_server_version().major >= 18
        syncs = "(SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal')" if recent else "wal_sync"
        row = await self._connection.fetchrow(
            f"""
            SELECT xact_commit AS commits, xact_rollback AS rollbacks, tup_inserted AS rows_inserted,
                   numbackends AS backends, wal_bytes::bigint AS wal_bytes, {syncs} AS wal_syncs,
                   pg_notification_queue_usage() AS notification_queue_share
            FROM pg_stat_database, pg_stat_wal WHERE datname = current_database()
            """  # noqa: S608 - one of the two constants above
        )
        waits = await self._connection.fetch(WAITS)
        figures = {name: value for name, value in row.items() if value is not None}
        return figures | {f"waits_{event}": count for event, count in waits}

    async def look_at(self, table: str) -> None:
        """Raise PostgreSQL's error if the table of messages cannot be read."""
        assert self._connection is not None
        await self._connection.fetch(
            f"SELECT channel, seq, text FROM {quoted(table)} WHERE starts_with(channel, $1) LIMIT 0",  # noqa: S608 - quoted
            "",
        )

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
