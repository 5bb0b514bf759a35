"""The message log for recovery if messages are published before they are stored: it adds the broker's newest messages
to the stored ones, and decides which missing messages are lost."""

import time
from collections.abc import Sequence

from reference_server.backplane.sequencer import Sequencer, SequencerError
from reference_server.message_log.base import Log, LogError, Mark

HOLE_LIMIT_S = 5.0
"""A message that neither the broker nor the log has for this long counts as lost. The time is longer than a
write-behind needs to store its queue after a short outage of the log. A message that is stored later is only in the
history."""
HOLES = 100_000


class RecentLog:
    """Implements ``base.Log``. ``after`` is without a gap: it ends at a hole, or says with the text None that the
    message is lost. The broker knows the newest number better than the log."""

    def __init__(self, log: Log, sequencer: Sequencer) -> None:
        self._log = log
        self._sequencer = sequencer
        self._holes: dict[tuple[str, int], float] = {}
        self._told: dict[str, int] = {}
        self.append = log.append
        self.store = log.store

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        try:
            found = await self._sequencer.newest(channels)
        except SequencerError:
            found = {}
        missing = [channel for channel in channels if channel not in found]
        if missing:
            found |= await self._log.newest(missing)
        for channel, seq in found.items():
            self._told[channel] = max(seq, self._told.pop(channel, 0))
        while len(self._told) > HOLES:
            del self._told[next(iter(self._told))]
        return found

    async def newer(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        newest = await self.newest([channel for channel, _ in positions])
        return {channel: newest[channel] for channel, position in positions if newest.get(channel, 0) > position}

    async def since(self, mark: Mark | None, limit: int) -> tuple[Mark, Sequence[tuple[str, int, str]]]:
        return await self._log.since(mark, limit)

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str | None]]]:
        try:
            kept = await self._sequencer.recent([channel for channel, _ in asked])
        except SequencerError:
            kept = [[] for _ in asked]
        texts = [dict(rows) for rows in kept]
        if all(since + 1 in found for (_, since), found in zip(asked, texts, strict=True)):
            return [self._joined(*one, found, limit, complete=False) for one, found in zip(asked, texts, strict=True)]
        complete = True
        try:
            for found, rows in zip(texts, await self._log.after(asked, limit), strict=True):
                found.update((seq, text) for seq, text in rows if text is not None)
        except LogError:
            complete = False
            if not any(since + 1 in found for (_, since), found in zip(asked, texts, strict=True)):
                raise
        return [self._joined(*one, found, limit, complete=complete) for one, found in zip(asked, texts, strict=True)]

    def _joined(
        self, channel: str, since: int, found: dict[int, str], limit: int, *, complete: bool
    ) -> list[tuple[int, str | None]]:
        """The messages after ``since`` up to the first hole that may still be filled. ``complete``: the log was
        read."""
        last = max(max(found, default=0), self._told.get(channel, 0))
        rows: list[tuple[int, str | None]] = []
        for seq in range(since + 1, min(last, since + limit) + 1):
            text = found.get(seq)
            if text is None and not (complete and self._is_lost(channel, seq)):
                break
            rows.append((seq, text))
        return rows

    def _is_lost(self, channel: str, seq: int) -> bool:
        now_s = time.monotonic()
        first_s = self._holes.setdefault((channel, seq), now_s)
        while len(self._holes) > HOLES:
            del self._holes[next(iter(self._holes))]
        return now_s - first_s >= HOLE_LIMIT_S
