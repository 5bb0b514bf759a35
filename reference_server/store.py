"""The truth: messages and channels in PostgreSQL."""

import asyncio
import time
from collections.abc import Sequence

from reference_server import schema
from reference_server.link import DatabaseError, Link
from reference_server.settings import Settings

RETRY_PAUSE_S = 0.1
PING_TIMEOUT_S = 1.0


class Store:
    """Three connections, so that neither reads nor browsing ever wait in line before a commit.

    Every method raises link.DatabaseUnavailable or link.OutcomeUnknown, within a bounded time.
    """

    def __init__(self, settings: Settings) -> None:
        timeout_ms = settings.statement_timeout_ms
        self._writer, self._reader, self._browser = (
            Link(settings.postgres, name=f"{settings.name} {role}", statement_timeout_ms=timeout_ms)
            for role in ("writer", "reader", "browser")
        )

    async def start(self, patience_s: float) -> None:
        """Make the schema, trying again for ``patience_s`` while PostgreSQL cannot be reached."""
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                await self._make_schema()
                return
            except DatabaseError:
                if time.monotonic() >= deadline_s:
                    raise
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _make_schema(self) -> None:
        # One simple-protocol string is one transaction; the lock ends with it.
        await self._writer.execute(f"SELECT pg_advisory_xact_lock({schema.LOCK_KEY}); {schema.SCHEMA}")

    def close(self) -> None:
        for link in (self._writer, self._reader, self._browser):
            link.close()

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        """Commit a batch in one transaction and one round trip: (seq, duplicate) per input, in its order."""
        rows = await self._writer.fetch(schema.APPEND, channels, texts, client_msg_ids)
        return [(row[0], row[1]) for row in rows]

    async def last_seqs(self, channels: Sequence[str]) -> dict[str, int]:
        """The newest committed seq of each channel that anybody has posted to."""
        rows = await self._reader.fetch(schema.LAST_SEQS, channels)
        return {row[0]: row[1] for row in rows}

    async def news(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        """The newest committed seq of those channels that have gone beyond their (channel, position)."""
        channels, seqs = [channel for channel, _ in positions], [position for _, position in positions]
        rows = await self._reader.fetch(schema.NEWS, channels, seqs)
        return {row[0]: row[1] for row in rows}

    async def committed_since(self, mark: int | None, limit: int) -> tuple[int, list[tuple[str, int, str]]]:
        """What was committed since an earlier call gave ``mark``: (the next mark, (channel, seq, text) sorted).

        Some of it may have been read before. At ``limit`` messages the rest is left out for good; without a mark, all is.
        """
        rows = await self._reader.fetch(schema.COMMITTED_SINCE, mark, limit)
        return rows[0][0], [(channel, seq, text) for _, channel, seq, text in rows if channel is not None]

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str]]]:
        """For each (channel, since) at most ``limit`` messages after ``since``, in order, without a gap: (seq, text)."""
        found: list[list[tuple[int, str]]] = [[] for _ in asked]
        channels, sinces = [channel for channel, _ in asked], [since for _, since in asked]
        for n, seq, text in await self._reader.fetch(schema.AFTER, channels, sinces, limit):
            found[n - 1].append((seq, text))
        return found

    async def history(self, channel: str, since: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        """At most ``limit`` messages after ``since``, and the channel's newest seq, which is no older than they are."""
        rows = await self._browser.fetch(schema.AFTER, [channel], [since], limit)
        newest = await self._browser.fetch(schema.LAST_SEQS, [channel])
        return [(seq, text) for _, seq, text in rows], newest[0][1] if newest else 0

    async def ping(self) -> bool:
        """Whether the database answers now."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._browser.fetch("SELECT 1")
        except (DatabaseError, TimeoutError):
            return False
        return True
