"""Follows what is committed while the backplane does not bring it."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from reference_server.gateway import Gateway
from reference_server.link import DatabaseError
from reference_server.wire import message_frame

FOLLOW_S = 0.008
"""From one read to the next: messages then travel this way. What gathers in between is written in one go, and whatever else
the server does waits for that. Four servers, 10,000 clients, 1,000 messages/s, 20 readers each, on 2 cores: P99 of
acknowledgements 0.9 times the one before the outage with 8 ms, 1.2 times with 15 ms, 2.3 times with 45 ms."""
REST_PER_READ = 2
"""A read is followed by a rest of this many times what it took: it has a third of the database connection's time."""
ROWS_PER_READ = 1_000
RETRY_PAUSE_S = 0.05
CHANNELS_PER_TURN = 16
"""What is taken at once is written at once: few channels, so that posts get their turn in between."""
STAY_S = 1.0
"""How long a backplane that says it is up, but lost a message, is not believed."""

Committed = Sequence[tuple[str, int, str]]


class Reader(Protocol):
    """What the database tells (store.Store). Raises DatabaseError."""

    async def committed_since(self, mark: int | None, limit: int) -> tuple[int, Committed]: ...


class Tail:
    """Reads the table's tail, from mark to mark, a hundred times a second: what that costs depends on how much is posted,
    not on how many channels are open.

    While the backplane is down, what is read is delivered. While it is up but has lost something (a frozen one looks alive
    for seconds), what is read is only known to exist: it may be on its way, and is filled if it does not arrive.
    What was committed before the first mark, or is too much for one read, is left to a comparison of all channels.
    """

    def __init__(self, gateway: Gateway, reader: Reader) -> None:
        self._gateway = gateway
        self._reader = reader

    async def run(self) -> None:
        """Follow whenever the gateway wants it, until cancelled."""
        while True:
            await self._gateway.follow_wanted.wait()
            await self._follow()

    async def _follow(self) -> None:
        gateway = self._gateway
        mark: int | None = None
        until_s = -math.inf
        while True:
            started_s = time.monotonic()
            if gateway.follow_wanted.is_set():
                gateway.follow_wanted.clear()
                until_s = started_s + STAY_S
            if gateway.backplane_up and started_s >= until_s:
                return
            try:
                next_mark, rows = await self._reader.committed_since(mark, ROWS_PER_READ)
            except DatabaseError:
                rest_s = RETRY_PAUSE_S  # the mark stays good, whatever happens to the connection
            else:
                rest_s = REST_PER_READ * (time.monotonic() - started_s)
                took_all = mark is not None and len(rows) < ROWS_PER_READ
                mark = next_mark
                if not took_all:
                    gateway.check_all()
                await self._take(rows)
            # Servers have lost the backplane at the same moment: in step they would read, and write, all at once.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311  # not a secret
            await asyncio.sleep(max(FOLLOW_S * jitter, rest_s))

    async def _take(self, rows: Committed) -> None:
        gateway = self._gateway
        for n, (name, of_channel) in enumerate(groupby(rows, key=itemgetter(0)), 1):
            channel = gateway.channels.get(name)
            if channel is None or channel.position is None:
                continue  # nobody's, or not open yet: CatchUp.settled sees to that
            news = [(seq, text) for _, seq, text in of_channel if seq > channel.position]
            if not news:
                continue
            if not gateway.backplane_up:
                gateway.recover(name, [(seq, message_frame(name, seq, text)) for seq, text in news])
            gateway.settle(name, news[-1][0])
            if n % CHANNELS_PER_TURN == 0:
                await asyncio.sleep(0)
