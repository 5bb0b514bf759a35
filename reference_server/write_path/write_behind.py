"""The queue between publication and COMMIT: batches, in the order of acknowledgement, tried until they are stored."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from reference_server.message_log.base import Log, LogError, LogUnavailable
from reference_server.metrics import Metrics

BATCH_ROWS = 256
BACK_OFF_BASE_S = 0.05
BACK_OFF_CAP_S = 1.0
ATTEMPTS_ALONE = 3
FLUSH_LIMIT_S = 5.0

_log = logging.getLogger(__name__)


class Behind(NamedTuple):
    """A message that was published and is not stored yet. ``on_stored`` is called at its COMMIT."""

    channel: str
    seq: int
    text: str
    client_msg_id: str | None
    on_stored: Callable[[], None]


class WriteBehind:
    """Stores the rows that are put into it. A row leaves the queue when it is committed, or when it cannot be stored.
    It cannot be stored in two cases: the log holds another message under its number or its id, or the log answers but
    refuses this row alone three times. Such a row is set aside: counted, and named in the server's log.
    """

    def __init__(self, log: Log, *, metrics: Metrics, pause_ms: float) -> None:
        self._store = log.store
        self._newest = log.newest
        self._metrics = metrics
        self._pause_s = pause_ms / 1000
        self._rows: deque[Behind] = deque()
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._size = BATCH_ROWS
        self._failures = 0

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Behind) -> None:
        self._rows.append(row)
        self._empty.clear()
        self._arrived.set()

    async def finish(self) -> None:
        """Wait until everything is stored, at most FLUSH_LIMIT_S. Rows that are then still in the queue are lost."""
        try:
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await self._empty.wait()
        except TimeoutError:
            _log.error("%d acknowledged messages were not stored before the end", len(self._rows))

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            await self._arrived.wait()
            if len(self._rows) < BATCH_ROWS:
                await asyncio.sleep(self._pause_s)
            batch = [self._rows[n] for n in range(min(self._size, len(self._rows)))]
            try:
                stored = await self._store(*map(list, zip(*[row[:4] for row in batch], strict=True)))
            except LogError as error:
                await self._back_off(error)
                continue
            if self._failures:
                _log.info("the log stores again; %d messages wait", len(self._rows))
            self._failures = 0
            self._size = min(BATCH_ROWS, self._size * 2)
            self._metrics.batches.add(len(batch))
            for row, is_stored in zip(batch, stored, strict=True):
                self._rows.popleft()
                if is_stored:
                    row.on_stored()
                else:
                    self._set_aside(row, "the log holds another message under its number or its id")
            self._note_empty()

    async def _back_off(self, error: LogError) -> None:
        if not self._failures:
            _log.warning("storing behind fails, %d messages wait: %s", len(self._rows), error)
        self._failures += 1
        if isinstance(error, LogUnavailable) and await self._answers():
            # The log answers and refuses this batch: find the row that it refuses.
            if self._size == 1 and self._failures >= ATTEMPTS_ALONE:
                self._set_aside(self._rows.popleft(), str(error))
                self._note_empty()
                self._failures = 0
            self._size = max(1, self._size // 2)
        await asyncio.sleep(min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(self._failures - 1, 10)))

    async def _answers(self) -> bool:
        try:
            await self._newest([])
        except LogError:
            return False
        return True

    def _set_aside(self, row: Behind, why: str) -> None:
        self._metrics.set_aside += 1
        _log.error("acknowledged and never stored: channel %s, seq %d: %s", row.channel, row.seq, why)

    def _note_empty(self) -> None:
        if not self._rows:
            self._arrived.clear()
            self._empty.set()
