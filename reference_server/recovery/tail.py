"""Follows the end of the message log while the backplane does not bring what is committed."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from reference_server.gateway.gateway import Gateway
from reference_server.message_log.base import Log, LogError, Mark
from reference_server.protocol.server_events import message_frame

FOLLOW_S = 0.008
"""From one read to the next. Messages that arrive in between are written together, and all other work of the server
waits for that. Four servers, 10,000 clients, 1,000 messages/s, 20 subscribers each, on 2 cores: P99 of acknowledgements
was 0.9 times the one before the outage with 8 ms, 1.2 times with 15 ms, 2.3 times with 45 ms."""
REST_PER_READ = 2
"""After a read the tail rests this many times as long as the read took, so it uses a third of the log's connection."""
ROWS_PER_READ = 1_000
RETRY_PAUSE_S = 0.05
CHANNELS_PER_PART = 16
"""All messages of one part are written at once. So a part covers few channels, and posts are served in between."""
DISTRUST_S = 1.0
"""How long the server follows the log after a backplane that says it is up has lost a message."""


class Tail:
    """Reads the end of the log, from mark to mark, a hundred times a second. The cost depends on how much is posted,
    not on how many channels are open. It relies on ``Log.since``: every commit is in one of the reads.

    While the backplane is down, the tail delivers what it reads. While the backplane is up but has lost something (a
    frozen one looks alive for seconds), the tail only notes that the messages exist: they may be on their way, and are
    filled if they do not arrive. A comparison of all channels finds messages that were committed before the first mark,
    and those that did not fit in one read.
    """

    def __init__(self, gateway: Gateway, log: Log) -> None:
        self._gateway = gateway
        self._log = log

    async def run(self) -> None:
        """Follow the log whenever the gateway requests it, until cancelled."""
        while True:
            await self._gateway.work.follow_wanted.wait()
            await self._follow()

    async def _follow(self) -> None:
        gateway, work = self._gateway, self._gateway.work
        mark: Mark | None = None
        until_s = -math.inf
        while True:
            started_s = time.monotonic()
            if work.follow_wanted.is_set():
                work.follow_wanted.clear()
                until_s = started_s + DISTRUST_S
            if gateway.backplane_up and started_s >= until_s:
                return
            try:
                next_mark, rows = await self._log.since(mark, ROWS_PER_READ)
            except LogError:
                rest_s = RETRY_PAUSE_S  # the mark stays valid, whatever happens to the connection
            else:
                rest_s = REST_PER_READ * (time.monotonic() - started_s)
                complete = mark is not None and len(rows) < ROWS_PER_READ
                mark = next_mark
                if not complete:
                    work.check(gateway.channels)
                await self._take(rows)
            # All servers lost the backplane at the same moment; without jitter they would read and write in step.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311  # not a secret
            await asyncio.sleep(max(FOLLOW_S * jitter, rest_s))

    async def _take(self, rows: Sequence[tuple[str, int, str]]) -> None:
        gateway = self._gateway
        for n, (name, of_channel) in enumerate(groupby(rows, key=itemgetter(0)), 1):
            channel = gateway.channels.get(name)
            if channel is None or channel.position is None:
                continue  # no subscriber here, or not started yet: CatchUp.until_started handles that
            news = [(seq, text) for _, seq, text in of_channel if seq > channel.position]
            if not news:
                continue
            if not gateway.backplane_up:
                gateway.recover(name, [(seq, message_frame(name, seq, text)) for seq, text in news])
            gateway.expect(name, news[-1][0])
            if n % CHANNELS_PER_PART == 0:
                await asyncio.sleep(0)
