"""PostgreSQL by polling: every server reads what was committed since its last read, at a fixed interval.

There is nothing to publish. A read costs the same for any number of open channels. N servers read N ÷ interval times a
second, also without messages. The mark between two reads skips no commit, even if commits are out of order (`SINCE` of
the log).
"""

import asyncio
import logging
import random
import time
from collections.abc import Collection, Iterable, Sequence

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.message_log import postgresql_schema as schema
from reference_server.message_log.base import LogError
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame
from reference_server.settings_section import Section

ROWS_PER_READ = 1_000
CHANNELS_PER_COMPARISON = 2_000
ANSWER_TIMEOUT_S = 2.0
"""After a read without an answer for this long, PostgreSQL counts as down."""
RETRY_PAUSE_S = 0.1
JITTER = 0.1

_log = logging.getLogger(__name__)


class PostgresPollSettings(Section, frozen=True, kw_only=True):
    """``interval_ms``: from one read to the next, at least 1."""

    interval_ms: float = 50.0


def pause_after(took_s: float, interval_s: float) -> float:
    """Seconds from the end of a read that took ``took_s`` to the next read. Reads begin one interval apart; after a slow
    read the pause is as long as the read, at most one interval. PostgreSQL that was frozen answers a read seconds late: a
    pause as long as that read would delay every message that is posted after it.
    """
    return max(interval_s - took_s, min(took_s, interval_s))


class PostgresPoll:
    def __init__(self, connection: PostgresqlConnection, *, interval_ms: float, metrics: Metrics) -> None:
        self._connection = connection
        self._interval_s = max(1.0, interval_ms) / 1_000
        self._metrics = metrics
        self._receiver: Receiver | None = None
        self._mark: int | None = None
        self._taken: dict[str, int] = {}
        """wanted channel → the last seq that was handed over; reads overlap"""
        self._up = False

    @property
    def up(self) -> bool:
        return self._up

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        """A committed message is published already: the other servers find it."""
        self._metrics.published += len(messages)
        return True

    def subscribe(self, channels: Collection[str]) -> None:
        for channel in channels:
            self._taken.setdefault(channel, 0)
        if self._up and self._receiver is not None:
            self._receiver.on_subscribed(channels)  # the mark is older than this moment: no later commit is skipped

    def unsubscribe(self, channels: Collection[str]) -> None:
        for channel in channels:
            self._taken.pop(channel, None)

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        # Servers that start together must not read at the same moments: the phase of each is random, and drifts.
        await asyncio.sleep(random.uniform(0, self._interval_s))  # noqa: S311  # jitter, not a secret
        try:
            while True:
                started_s = time.monotonic()
                interval_s = self._interval_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter
                try:
                    async with asyncio.timeout(ANSWER_TIMEOUT_S):
                        await self._read(receiver)
                except (LogError, TimeoutError) as error:
                    self._set_up(False, error)
                    await asyncio.sleep(RETRY_PAUSE_S)  # the mark stays valid, whatever happens to the connection
                else:
                    self._set_up(True)
                    await asyncio.sleep(pause_after(time.monotonic() - started_s, interval_s))
        finally:
            self._connection.close()

    async def _read(self, receiver: Receiver) -> None:
        rows = await self._connection.fetch(schema.SINCE, self._mark, ROWS_PER_READ)
        found = [(channel, seq, text) for _, channel, seq, text in rows if channel is not None]
        full = len(found) >= ROWS_PER_READ
        self._take(receiver, found)
        if full:
            # The rest of a full answer, however large: the counter of each channel says how far its messages go.
            names = list(self._taken)
            for at in range(0, len(names), CHANNELS_PER_COMPARISON):
                newest = await self._connection.fetch(schema.NEWEST, names[at : at + CHANNELS_PER_COMPARISON])
                self._point(receiver, ((row[0], row[1]) for row in newest))
        self._mark = rows[0][0]

    def _take(self, receiver: Receiver, rows: Iterable[tuple[str, int, str]]) -> None:
        for channel, seq, text in rows:
            taken = self._taken.get(channel)
            if taken is None:
                self._metrics.unwanted += 1  # counted again if an overlapping read brings it again
            elif seq > taken:
                self._taken[channel] = seq
                receiver.on_message(channel, seq, message_frame(channel, seq, text))

    def _point(self, receiver: Receiver, newest: Iterable[tuple[str, int]]) -> None:
        for channel, seq in newest:
            taken = self._taken.get(channel)
            if taken is not None and seq > taken:
                self._taken[channel] = seq
                receiver.on_newer(channel, seq)

    def _set_up(self, up: bool, why: BaseException | None = None) -> None:
        if up == self._up or self._receiver is None:
            return
        self._up = up
        if up:
            _log.info("backplane reads the log")
        else:
            _log.warning("backplane down: %s", why or type(why).__name__)
        self._receiver.on_state(up)
        if up:
            self._receiver.on_subscribed(list(self._taken))


def _build(section: PostgresPollSettings, context: BackplaneContext) -> PostgresPoll:
    settings = context.settings
    connection = PostgresqlConnection(
        settings.postgres, name=f"{settings.name} backplane", statement_timeout_ms=settings.statement_timeout_ms
    )
    return PostgresPoll(connection, interval_ms=section.interval_ms, metrics=context.metrics)


def _delay_s(section: PostgresPollSettings) -> float:
    """A message waits for the next read; if it was committed during a read, it waits for one more."""
    return 2 * (1 + JITTER) * section.interval_ms / 1_000


KIND = BackplaneKind(name="postgres-poll", section=PostgresPollSettings, broker=None, build=_build, delay_s=_delay_s)
