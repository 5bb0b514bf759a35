"""PostgreSQL as a component: readiness, settings, counters."""

import asyncpg

from harness.components.adapter import Counters
from harness.model.cluster import Endpoint

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers"),
    *("max_wal_size", "max_connections", "autovacuum"),
)

WAITS = """
SELECT wait_event_type || '_' || wait_event, count(*) FROM pg_stat_activity
WHERE state = 'active' AND wait_event IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1
"""
"""What statements wait for at this moment: ``Lock_object`` is the lock that a notifying transaction holds until its log
is flushed."""

_EXPLICIT = {
    "ssl": False,
    "direct_tls": False,
    "target_session_attrs": "any",
    "krbsrvname": "postgres",
    "gsslib": "gssapi",
}
"""What asyncpg would else read from PGSSLMODE, PGSSLNEGOTIATION, PGTARGETSESSIONATTRS, PGKRBSRVNAME and PGGSSLIB."""


async def connect(endpoint: Endpoint, *, timeout_s: float, purpose: str = "") -> asyncpg.Connection:
    """A connection under the name ``harness PURPOSE``. Raises what asyncpg raises."""
    return await asyncpg.connect(
        **endpoint.arguments,
        **(_EXPLICIT if endpoint.owned else {}),
        timeout=timeout_s,
        server_settings={"application_name": f"harness {purpose}".strip()},
    )


class PostgresqlAdapter:
    errors: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """A connection must really work: PostgreSQL listens before it accepts sessions."""
        try:
            connection = await connect(endpoint, timeout_s=ANSWER_TIMEOUT_S)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return str(error) or type(error).__name__
        await connection.close(timeout=ANSWER_TIMEOUT_S)
        return None

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        try:
            connection = await connect(endpoint, timeout_s=SETTINGS_TIMEOUT_S)
        except (OSError, asyncpg.PostgresError):
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

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
