"""Keeps every open channel up to date with the message log, whatever the backplane loses."""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress

from reference_server.gateway.channel import Channel
from reference_server.gateway.gateway import Gateway
from reference_server.message_log.base import Log, LogError
from reference_server.recovery.log_reader import LogReader
from reference_server.recovery.tail import Tail

SWEEP_S = 1.0
CHANNELS_PER_SWEEP = 2_000
CHANNELS_PER_REBROADCAST_READ = 64
CHANNELS_PER_FILL = 16
"""All messages of one read are written at once. So a read covers few channels, and posts are served in between."""
REBROADCAST_LIMIT_S = 30.0
PENDING_PAUSE_S = 0.02
RETRY_PAUSE_S = 0.05
SUBSCRIBE_TIMEOUT_S = 0.5
"""How long an opening channel waits for the backplane to confirm. Without the confirmation no message is lost; some may
come later."""


class CatchUp:
    """Keeps the channels of the gateway at most one sweep behind the log.

    A later message shows a hole, but nothing shows that the last message was lost. So every second a sweep compares the
    positions with the log. It relies on the order that ``Log`` promises: ``newest`` proves that all messages up to it
    exist. While the backplane is down or loses messages, ``Tail`` finds new messages much sooner.
    """

    def __init__(self, gateway: Gateway, log: Log, *, automatic: bool) -> None:
        self._gateway = gateway
        self._log = log
        self._automatic = automatic
        self._swept_s = -math.inf
        self._next = 0
        self.reader = LogReader(log)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.reader.run())
            tasks.create_task(self._compare())
            tasks.create_task(self._fill())
            if self._automatic:
                tasks.create_task(Tail(self._gateway, self._log).run())

    async def until_started(self, channel: Channel) -> None:
        """Wait until the channel has a position: the newest seq, read after the backplane confirmed the subscription.

        Raises LogError.
        """
        if channel.position is not None:
            return
        if self._gateway.backplane_up:
            with suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                    await channel.subscribed.wait()
        self._gateway.start_channel(channel.name, await self.reader.newest(channel.name))
        if not self._gateway.backplane_up:
            # Tail skipped what it read before this answer: the channel had no position yet.
            self._gateway.work.check((channel.name,))

    async def rebroadcast(self, names: Sequence[str]) -> int:
        """Deliver the messages that the subscribers of these channels miss. Returns their number; raises LogError."""
        gateway = self._gateway
        for at in range(0, len(names), CHANNELS_PER_SWEEP):
            part = names[at : at + CHANNELS_PER_SWEEP]
            for name, seq in zip(part, await self.reader.newest_of(part), strict=True):
                if (channel := gateway.channels.get(name)) is not None and channel.position is not None:
                    gateway.expect(name, seq)
        total = 0
        deadline_s = time.monotonic() + REBROADCAST_LIMIT_S
        while time.monotonic() < deadline_s:
            asked = self._behind(names)
            if not asked:
                break
            found = await self.reader.frames_after(asked)
            news = sum(gateway.recover(name, rows) for (name, _), rows in zip(asked, found, strict=True))
            total += news
            if not news:
                await asyncio.sleep(PENDING_PAUSE_S)  # as many messages wait for the sockets as the limit allows
        return total

    def _behind(self, names: Sequence[str]) -> list[tuple[str, int]]:
        channels = [channel for name in names if (channel := self._gateway.channels.get(name)) is not None]
        behind = [(channel.name, channel.position) for channel in channels if channel.behind]
        return [(name, seq) for name, seq in behind[:CHANNELS_PER_REBROADCAST_READ] if seq is not None]

    # The sweep.

    async def _compare(self) -> None:
        gateway, work = self._gateway, self._gateway.work
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._swept_s + SWEEP_S - time.monotonic()):
                    await work.check_wanted.wait()
            work.check_wanted.clear()
            names = work.unchecked & gateway.channels.keys()
            work.unchecked.clear()
            now_s = time.monotonic()
            if now_s - self._swept_s >= SWEEP_S:
                self._swept_s = now_s
                names.update(self._some_channels())
                gateway.close_idle()
            await self._check(list(names))

    def _some_channels(self) -> list[str]:
        """The channels of one sweep: all, or the next part of them."""
        names = list(self._gateway.channels)
        if len(names) <= CHANNELS_PER_SWEEP:
            return names
        start = self._next % len(names)
        self._next = start + CHANNELS_PER_SWEEP
        return (names + names)[start : start + CHANNELS_PER_SWEEP]

    async def _check(self, names: list[str]) -> None:
        if not self._automatic:
            return
        for at in range(0, len(names), CHANNELS_PER_SWEEP):
            channels = [self._gateway.channels.get(name) for name in names[at : at + CHANNELS_PER_SWEEP]]
            positions = [(c.name, c.position) for c in channels if c is not None and c.position is not None]
            if not positions:
                continue  # thousands of opening channels are confirmed before they have a position: nothing to compare
            try:
                newer = await self._log.newer(positions)
            except LogError:
                self._gateway.work.unchecked.update(names[at:])
                return  # the next sweep asks again
            for name, seq in newer.items():
                channel = self._gateway.channels.get(name)
                if channel is not None and channel.position is not None:
                    self._gateway.expect(name, seq)

    # Holes.

    async def _fill(self) -> None:
        work = self._gateway.work
        while True:
            await work.fill_wanted.wait()
            asked, lost = self._take_behind()
            if not asked:
                continue
            try:
                found = await self.reader.frames_after(asked)
            except LogError:
                # Every later message of these channels waits too, so they cannot wait for the next sweep.
                await asyncio.sleep(RETRY_PAUSE_S)
                work.fill(name for name, _ in asked)
                continue
            for (name, _), rows in zip(asked, found, strict=True):
                if self._gateway.recover(name, rows) and name in lost:
                    work.follow()

    def _take_behind(self) -> tuple[list[tuple[str, int]], set[str]]:
        """(name, position) of some channels that are behind; and which of them miss what the backplane did not
        announce."""
        gateway, work = self._gateway, self._gateway.work
        asked: list[tuple[str, int]] = []
        lost: set[str] = set()
        while work.behind and len(asked) < CHANNELS_PER_FILL:
            channel = gateway.channels.get(work.behind.pop())
            if channel is not None and channel.position is not None and channel.behind:
                asked.append((channel.name, channel.position))
                if not channel.announced_more:
                    lost.add(channel.name)
        if not work.behind:
            work.fill_wanted.clear()
        return asked, lost
