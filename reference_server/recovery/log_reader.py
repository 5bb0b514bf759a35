"""Reads the message log for recovery: pages of finished frames, and newest seqs."""

import asyncio
from collections.abc import Sequence

from reference_server.message_log.base import Log
from reference_server.protocol.server_events import gap_frame, message_frame
from reference_server.recovery.coalesced_reads import CoalescedReads

CHANNELS_PER_QUESTION = 2_000
CHANNELS_PER_READ = 64
ROWS_PER_READ = 200

Rows = list[tuple[int, bytes]]
"""(seq, frame) in order, without a gap"""


class LogReader:
    """``newest`` and ``after`` serve one client each, and share reads; the other two read at once. All raise
    LogError."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._newest = CoalescedReads[str, int](self.newest_of, at_once=CHANNELS_PER_QUESTION)
        self._after = CoalescedReads[tuple[str, int], Rows](self.frames_after, at_once=CHANNELS_PER_READ)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._newest.run())
            tasks.create_task(self._after.run())

    async def newest(self, channel: str) -> int:
        """The newest committed seq of the channel; 0 if it has no messages."""
        return await self._newest.get(channel)

    async def after(self, channel: str, since: int) -> Rows:
        """Some messages after ``since``; empty only if there are none."""
        return await self._after.get((channel, since))

    async def newest_of(self, channels: Sequence[str]) -> list[int]:
        """The newest committed seq of each channel; 0 if it has no messages."""
        newest = await self._log.newest(channels)
        return [newest.get(channel, 0) for channel in channels]

    async def frames_after(self, asked: Sequence[tuple[str, int]]) -> list[Rows]:
        """For each (channel, since) at most ROWS_PER_READ messages after ``since``."""
        found = await self._log.after(asked, ROWS_PER_READ)
        return [
            [(seq, gap_frame(name, seq) if text is None else message_frame(name, seq, text)) for seq, text in rows]
            for (name, _), rows in zip(asked, found, strict=True)
        ]
