"""Which servers of the mesh are alive, by rows in PostgreSQL that each server renews."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from reference_server.message_log.base import LogError
from reference_server.message_log.postgresql_connection import PostgresqlConnection

RENEW_S = 0.5
LEASE_S = 2.0
ANSWER_TIMEOUT_S = 2.0
LOCK_KEY = 0x6D657368

_TABLE = f"""
SELECT pg_advisory_xact_lock({LOCK_KEY});
CREATE UNLOGGED TABLE IF NOT EXISTS mesh_leases (name text PRIMARY KEY, seen_at timestamptz NOT NULL)
"""
_RENEW = """
INSERT INTO mesh_leases (name, seen_at) VALUES ($1, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()
"""
_ALIVE = f"SELECT name FROM mesh_leases WHERE seen_at > clock_timestamp() - interval '{LEASE_S} s'"  # noqa: S608  # a constant
_END = "DELETE FROM mesh_leases WHERE name = $1"

_log = logging.getLogger(__name__)


class MeshLease:
    """``changed`` gets the names of the living servers after each renewal. While PostgreSQL is away, no server is
    declared dead: the last answer counts."""

    def __init__(self, connection: PostgresqlConnection, name: str, changed: Callable[[set[str]], None]) -> None:
        self._connection = connection
        self._name = name
        self._changed = changed

    async def run(self) -> None:
        """Renew until cancelled, then delete the lease: the other servers need not wait for its end."""
        made = failing = False
        try:
            while True:
                try:
                    async with asyncio.timeout(ANSWER_TIMEOUT_S):
                        if not made:
                            await self._connection.execute(_TABLE)
                            made = True
                        await self._connection.fetch(_RENEW, self._name)
                        alive = {row[0] for row in await self._connection.fetch(_ALIVE)}
                except (LogError, TimeoutError) as error:
                    if not failing:
                        _log.warning("mesh: the lease is not renewed: %s", error or type(error).__name__)
                    failing = True
                    made = False  # a crash empties an unlogged table, and another database has none
                else:
                    failing = False
                    self._changed(alive)
                await asyncio.sleep(RENEW_S)
        finally:
            # In a cancelled task, asyncio.timeout of the first Python 3.11 raises CancelledError and not TimeoutError.
            try:
                with suppress(LogError, TimeoutError):
                    async with asyncio.timeout(RENEW_S):
                        await self._connection.fetch(_END, self._name)
            finally:
                self._connection.close()
