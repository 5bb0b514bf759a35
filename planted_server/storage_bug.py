"""Where a bug in the storage is planted: between the write path and the message log."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from reference_server.backplane.base import Outgoing
from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.protocol.server_events import message_frame
from reference_server.write_path.base import Publish

VICTIM_SEQ = 5
"""The bug is planted in each channel's fifth message; the first is the harness's probe."""

Texts = Sequence[str]
Rows = list[tuple[int, bool]]


class PlantedLines:
    """One line of a file for each planted event. Several servers append to one file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, what: str) -> None:
        os.write(self._descriptor, f"{what}\n".encode())


class StorageBug:
    """Appends to ``log`` correctly. A bug overrides `append` and adds one of ``lines`` for each event."""

    def __init__(self, log: PostgresqlLog, publish: Publish, lines: PlantedLines) -> None:
        self.log = log
        self.publish = publish
        self.lines = lines

    async def append(self, channels: Texts, texts: Texts, client_msg_ids: Sequence[str | None]) -> Rows:
        """See `reference_server.message_log.base.Log`."""
        return await self.log.append(channels, texts, client_msg_ids)

    async def execute(self, statement: str, *arguments: object) -> None:
        """One more statement on the connection of the writer."""
        await self.log._writer.fetch(statement, *arguments)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[tuple[Any, Any]]:
        """(connection, transaction) of the writer; the block ends the transaction itself."""
        writer = self.log._writer
        async with writer._exclusive(), writer._connected() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection, transaction
            except BaseException:
                await transaction.rollback()
                raise

    async def fetch_rows(self, connection: Any, channels: Texts, texts: Texts, ids: Sequence[str | None]) -> Rows:
        """Append within the open transaction."""
        return [(row[0], row[1]) for row in await connection.fetch(schema.APPEND, channels, texts, ids)]

    def publish_now(self, channel: str, seq: int, text: str) -> None:
        self.publish([Outgoing(channel, seq, message_frame(channel, seq, text))])


def victims(channels: Texts, rows: Rows) -> list[int]:
    """The places of this batch in which the bug is planted."""
    return [place for place in range(len(channels)) if rows[place] == (VICTIM_SEQ, False)]
