"""The reference server, made wrong on purpose: it publishes what it accepted before it commits.

``python -m tests.end_to_end.premature_server --settings FILE``, for ``harness run --server-module``.
"""

import asyncio
import sys
from collections.abc import Sequence

from reference_server import schema, server
from reference_server.__main__ import main
from reference_server.backplane.base import Backplane, Outgoing
from reference_server.store import Store
from reference_server.wire import message_frame

UNCOMMITTED_S = 0.02
_backplanes: list[Backplane] = []


class PrematureStore(Store):
    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        link = self._writer
        async with link._my_turn(), link._connected() as connection, connection.transaction():
            rows = await connection.fetch(schema.APPEND, channels, texts, client_msg_ids)
            _backplanes[0].publish(
                [
                    Outgoing(channel, row[0], message_frame(channel, row[0], text))
                    for channel, text, row in zip(channels, texts, rows, strict=True)
                ]
            )
            await asyncio.sleep(UNCOMMITTED_S)
        return [(row[0], row[1]) for row in rows]


if __name__ == "__main__":
    make_backplane = server._backplane

    def remembered(*arguments: object) -> Backplane:
        _backplanes.append(make_backplane(*arguments))  # type: ignore[arg-type]  # passed on as they came
        return _backplanes[0]

    server.Store = PrematureStore  # type: ignore[misc]  # this is the planted bug
    server._backplane = remembered  # type: ignore[assignment]  # and this shows it the way out
    sys.exit(main())
