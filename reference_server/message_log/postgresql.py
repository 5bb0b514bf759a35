"""The message log in PostgreSQL."""

import asyncio
import time
from collections.abc import Sequence

from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.base import LogError, Mark, OutcomeUnknown
from reference_server.message_log.postgresql_address import Postgres
from reference_server.message_log.postgresql_connection import PostgresqlConnection

RETRY_PAUSE_S = 0.1
PING_TIMEOUT_S = 1.0
SINGLE_WRITERS = 8
NOTIFIED_TEXT_BYTES = 7_000
"""a longer text is not part of its notification, which PostgreSQL limits to 8,000 bytes"""


class PostgresqlLog:
    """Implements ``base.Log`` and ``base.History``. How it keeps their promises is explained in ``postgresql_schema``.

    It has three connections, so that an append never waits for a read of the recovery or of a route.
    """

    def __init__(
        self, postgres: Postgres | str, *, name: str, statement_timeout_ms: int, synchronous_commit: bool = True
    ) -> None:
        self._writer, self._reader, self._browser = (
            PostgresqlConnection(
                postgres,
                name=f"{name} {role}",
                statement_timeout_ms=statement_timeout_ms,
                **({} if synchronous_commit else {"synchronous_commit": "off"}),
            )
            for role in ("writer", "reader", "browser")
        )
        self._more_writers = [
            PostgresqlConnection(postgres, name=f"{name} writer {n}", statement_timeout_ms=statement_timeout_ms)
            for n in range(1, SINGLE_WRITERS)
        ]  # opened when they are used
        self.notify_inside: str | None = None
        """the notification channel on which each append notifies in its own transaction"""
        self.one_commit_per_post = False
        """for experiments: each message of an append has its own transaction, several at once; an append that fails
        may be committed in part, and says that its outcome is unknown"""

    async def start(self, timeout_s: float) -> None:
        """Make the schema. Try again for ``timeout_s`` while PostgreSQL cannot be reached; then raise LogError."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                # One simple-protocol string is one transaction; the lock ends with it.
                await self._writer.execute(f"SELECT pg_advisory_xact_lock({schema.LOCK_KEY}); {schema.SCHEMA}")
                return
            except LogError:
                if time.monotonic() >= deadline_s:
                    raise
                await asyncio.sleep(RETRY_PAUSE_S)

    def close(self) -> None:
        for connection in (self._writer, self._reader, self._browser, *self._more_writers):
            connection.close()

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        """See ``Log``: one transaction and one round trip."""
        if self.one_commit_per_post:
            return await self._append_singly(channels, texts, client_msg_ids)
        return await self._append_with(self._writer, channels, texts, client_msg_ids)

    async def _append_with(
        self,
        writer: PostgresqlConnection,
        channels: Sequence[str],
        texts: Sequence[str],
        client_msg_ids: Sequence[str | None],
    ) -> list[tuple[int, bool]]:
        if self.notify_inside is None:
            rows = await writer.fetch(schema.APPEND, channels, texts, client_msg_ids)
        else:
            rows = await writer.fetch(
                schema.APPEND_AND_NOTIFY, channels, texts, client_msg_ids, self.notify_inside, NOTIFIED_TEXT_BYTES
            )
        return [(row[0], row[1]) for row in rows]

    async def _append_singly(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        writers = (self._writer, *self._more_writers)

        async def share(first: int) -> list[list[tuple[int, bool]]]:
            return [
                await self._append_with(writers[first], [channels[n]], [texts[n]], [client_msg_ids[n]])
                for n in range(first, len(channels), len(writers))
            ]

        shares = await asyncio.gather(*map(share, range(len(writers))), return_exceptions=True)
        found: list[tuple[int, bool]] = [(0, False)] * len(channels)
        for first, rows in enumerate(shares):
            if isinstance(rows, BaseException):
                raise OutcomeUnknown(f"one commit per post: {rows}") from rows
            for n, row in zip(range(first, len(channels), len(writers)), rows, strict=True):
                found[n] = row[0]
        return found

    async def store(
        self,
        channels: Sequence[str],
        seqs: Sequence[int],
        texts: Sequence[str],
        client_msg_ids: Sequence[str | None],
    ) -> list[bool]:
        """See ``Log``: one transaction and one round trip."""
        return [row[0] for row in await self._writer.fetch(schema.STORE, channels, seqs, texts, client_msg_ids)]

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        rows = await self._reader.fetch(schema.NEWEST, channels)
        return {row[0]: row[1] for row in rows}

    async def newer(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        channels, seqs = [channel for channel, _ in positions], [position for _, position in positions]
        rows = await self._reader.fetch(schema.NEWER, channels, seqs)
        return {row[0]: row[1] for row in rows}

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str | None]]]:
        found: list[list[tuple[int, str | None]]] = [[] for _ in asked]
        channels, sinces = [channel for channel, _ in asked], [since for _, since in asked]
        for n, seq, text in await self._reader.fetch(schema.AFTER, channels, sinces, limit):
            found[n - 1].append((seq, text))
        return found

    async def since(self, mark: Mark | None, limit: int) -> tuple[Mark, list[tuple[str, int, str]]]:
        """See ``Log``; a mark is the number of a transaction."""
        rows = await self._reader.fetch(schema.SINCE, mark, limit)
        return Mark(rows[0][0]), [(channel, seq, text) for _, channel, seq, text in rows if channel is not None]

    async def history(self, channel: str, since: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        """See ``History``: the newest seq is read after the messages."""
        rows = await self._browser.fetch(schema.AFTER, [channel], [since], limit)
        newest = await self._browser.fetch(schema.NEWEST, [channel])
        return [(seq, text) for _, seq, text in rows], newest[0][1] if newest else 0

    async def ping(self) -> bool:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._browser.fetch("SELECT 1")
        except (LogError, TimeoutError):
            return False
        return True
