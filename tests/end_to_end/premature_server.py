"""The reference server with a planted bug: it publishes accepted messages before it commits them.

``python -m tests.end_to_end.premature_server --settings FILE``, for ``harness run --server-module``.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from reference_server.__main__ import main
from reference_server.backplane.base import Outgoing
from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.protocol.server_events import message_frame
from reference_server.write_path import db_first
from reference_server.write_path.base import Publish

UNCOMMITTED_S = 0.02


class PrematureLog:
    """Appends to the server's log, and publishes before COMMIT."""

    def __init__(self, log: PostgresqlLog, publish: Publish) -> None:
        self._log = log
        self._publish = publish

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        writer = self._log._writer
        async with writer._exclusive(), writer._connected() as connection, connection.transaction():
            rows = await connection.fetch(schema.APPEND, channels, texts, client_msg_ids)
            self._publish(
                [
                    Outgoing(channel, row[0], message_frame(channel, row[0], text))
                    for channel, text, row in zip(channels, texts, rows, strict=True)
                ]
            )
            await asyncio.sleep(UNCOMMITTED_S)
        return [(row[0], row[1]) for row in rows]


class PrematureDbFirst(db_first.DbFirst):
    def __init__(self, log: Any, publish: Publish, **options: Any) -> None:
        super().__init__(PrematureLog(log, publish), publish, **options)  # type: ignore[arg-type]  # it only appends


if __name__ == "__main__":
    db_first.DbFirst = PrematureDbFirst  # type: ignore[misc]  # this is the planted bug
    sys.exit(main())
