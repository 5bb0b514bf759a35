"""Reads from the database what the backplane did not bring, and what clients missed while they were away."""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from reference_server import tail
from reference_server.channel import Channel
from reference_server.coalesced import Coalesced
from reference_server.gateway import Gateway
from reference_server.link import DatabaseError
from reference_server.wire import message_frame

SWEEP_S = 1.0
CHANNELS_PER_SWEEP = 2_000
CHANNELS_PER_READ = 64
CHANNELS_PER_FILL = 16
"""What is read at once is written at once: few channels, so that posts get their turn in between."""
ROWS_PER_READ = 200
REBROADCAST_LIMIT_S = 30.0
PENDING_PAUSE_S = 0.02
RETRY_PAUSE_S = 0.05
SUBSCRIBE_PATIENCE_S = 0.5
"""How long an opening channel waits for the backplane to confirm. Without it nothing is lost, only later."""

Rows = list[tuple[int, bytes]]


class Reader(tail.Reader, Protocol):
    """What the database tells (store.Store). All raise DatabaseError."""

    async def last_seqs(self, channels: Sequence[str]) -> dict[str, int]: ...

    async def news(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]: ...

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str]]]: ...


class CatchUp:
    """Keeps the gateway's channels no further behind the database than a sweep.

    Holes show when a later message arrives, but a lost tail shows nowhere: so positions are compared with the database
    every second. While the backplane is down or loses messages, ``Tail`` brings them, much sooner.
    """

    def __init__(self, gateway: Gateway, reader: Reader, *, automatic: bool) -> None:
        self._gateway = gateway
        self._reader = reader
        self._automatic = automatic
        self._swept_s = -math.inf
        self._next = 0
        self._newest = Coalesced[str, int](self._ask_newest, at_once=CHANNELS_PER_SWEEP)
        self._missed = Coalesced[tuple[str, int], Rows](self._ask_after, at_once=CHANNELS_PER_READ)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._newest.run())
            tasks.create_task(self._missed.run())
            tasks.create_task(self._compare())
            tasks.create_task(self._fill())
            if self._automatic:
                tasks.create_task(tail.Tail(self._gateway, self._reader).run())

    # For a client that subscribes. All raise DatabaseError.

    async def settled(self, channel: Channel) -> None:
        """Wait until the channel has a position: the newest seq, as read after the backplane confirmed to deliver."""
        if channel.position is not None:
            return
        if self._gateway.backplane_up:
            with suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBE_PATIENCE_S):
                    await channel.subscribed.wait()
        self._gateway.settle(channel.name, await self._newest.get(channel.name))
        if not self._gateway.backplane_up:
            # Whatever Tail has read since that answer was made found no position to go on from.
            self._gateway.unchecked.add(channel.name)
            self._gateway.check_wanted.set()

    async def newest(self, channel: str) -> int:
        return await self._newest.get(channel)

    async def after(self, channel: str, since: int) -> Rows:
        """Some messages after ``since`` as (seq, frame), in order, without a gap; none only if there are none."""
        return await self._missed.get((channel, since))

    # For whoever asks by hand.

    async def rebroadcast(self, names: Sequence[str]) -> int:
        """Deliver what subscribers of these channels miss. Returns how many messages were; raises DatabaseError."""
        gateway = self._gateway
        for at in range(0, len(names), CHANNELS_PER_SWEEP):
            part = names[at : at + CHANNELS_PER_SWEEP]
            for name, seq in zip(part, await self._ask_newest(part), strict=True):
                if (channel := gateway.channels.get(name)) is not None and channel.position is not None:
                    gateway.settle(name, seq)
        total = 0
        deadline_s = time.monotonic() + REBROADCAST_LIMIT_S
        while time.monotonic() < deadline_s:
            asked = self._behind(names)
            if not asked:
                break
            found = await self._ask_after(asked)
            news = sum(gateway.recover(name, rows) for (name, _), rows in zip(asked, found, strict=True))
            total += news
            if not news:
                await asyncio.sleep(PENDING_PAUSE_S)  # as much waits for the sockets as may wait
        return total

    def _behind(self, names: Sequence[str]) -> list[tuple[str, int]]:
        channels = [channel for name in names if (channel := self._gateway.channels.get(name)) is not None]
        behind = [(channel.name, channel.position) for channel in channels if channel.behind]
        return [(name, position) for name, position in behind[:CHANNELS_PER_READ] if position is not None]

    async def _ask_newest(self, names: Sequence[str]) -> list[int]:
        newest = await self._reader.last_seqs(names)
        return [newest.get(name, 0) for name in names]

    async def _ask_after(self, asked: Sequence[tuple[str, int]]) -> list[Rows]:
        found = await self._reader.after(asked, ROWS_PER_READ)
        return [
            [(seq, message_frame(name, seq, text)) for seq, text in rows]
            for (name, _), rows in zip(asked, found, strict=True)
        ]

    # For the channels that are open.

    async def _compare(self) -> None:
        gateway = self._gateway
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._swept_s + SWEEP_S - time.monotonic()):
                    await gateway.check_wanted.wait()
            gateway.check_wanted.clear()
            names = gateway.unchecked & gateway.channels.keys()
            gateway.unchecked.clear()
            now_s = time.monotonic()
            if now_s - self._swept_s >= SWEEP_S:
                self._swept_s = now_s
                names.update(self._some_channels())
                gateway.close_idle()
            await self._check(list(names))

    def _some_channels(self) -> list[str]:
        """The channels of one sweep: all, or a part and next time the next."""
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
                continue  # a channel that opens is confirmed before it has one: nothing to compare, thousands of times
            try:
                news = await self._reader.news(positions)
            except DatabaseError:
                self._gateway.unchecked.update(names[at:])
                return  # the next sweep asks again
            for name, seq in news.items():
                channel = self._gateway.channels.get(name)
                if channel is not None and channel.position is not None:
                    self._gateway.settle(name, seq)

    async def _fill(self) -> None:
        gateway = self._gateway
        while True:
            await gateway.fill_wanted.wait()
            asked: list[tuple[str, int]] = []
            while gateway.behind and len(asked) < CHANNELS_PER_FILL:
                channel = gateway.channels.get(gateway.behind.pop())
                if channel is not None and channel.position is not None and channel.behind:
                    asked.append((channel.name, channel.position))
            if not gateway.behind:
                gateway.fill_wanted.clear()
            if not asked:
                continue
            try:
                found = await self._ask_after(asked)
            except DatabaseError:
                # They go on waiting, and with them every later message of their channels: not until the next sweep.
                await asyncio.sleep(RETRY_PAUSE_S)
                gateway.behind.update(name for name, _ in asked)
                gateway.fill_wanted.set()
                continue
            news = 0
            for (name, _), rows in zip(asked, found, strict=True):
                news += gateway.recover(name, rows)
            if news:
                gateway.follow_wanted.set()
