"""The audit: every message of the run that the database holds, as stored.npy.

It is read from PostgreSQL itself if the harness knows the table of messages, else through the client protocol's
history.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np

from harness.components.postgresql import connect, quoted
from harness.model.cluster import Cluster, Endpoint, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.model.message import channel_index, channel_name
from harness.model.plan import Plan
from harness.planning.arrivals import schedule
from harness.planning.identity import identify
from harness.protocol.contract import BadAnswer, ClientProtocol
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, open_session, reason
from harness.recording.arrays import RowFile
from harness.recording.format import STORED

BATCH_ROWS = 10_000
HISTORY_ROWS = 1_000
HISTORY_AT_ONCE = 16
HISTORY_LIMIT = 10_000
"""At most this many messages are read of one channel, in addition to twice the messages of the whole run."""
HISTORY_TIMEOUT_S = 30.0

Stored = tuple[str, int, str]
"""channel name, seq, text"""


async def audit(cluster: Cluster, plan: Plan, protocol: ClientProtocol, folder: Path) -> None:
    """Write stored.npy in order of (channel, seq). Raises EnvironmentFailure if the database cannot be read."""
    total = len(schedule(plan))
    path = folder / "arrays" / "stored.npy"
    temporary = path.with_suffix(".part")
    try:
        # An incomplete file would look like lost messages: the file gets its name only when it is complete.
        with RowFile(temporary, STORED) as file:
            async for batch in _read(cluster, plan, protocol):
                file.append(np.array([_row(plan, total, *stored) for stored in batch], STORED))
        temporary.rename(path)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *EXCHANGE_ERRORS, BadAnswer) as error:
        raise EnvironmentFailure(f"the database cannot be read: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _read(cluster: Cluster, plan: Plan, protocol: ClientProtocol) -> AsyncIterator[Iterable[Stored]]:
    if cluster.database is not None and plan.messages_table:
        return _from_database(cluster.database, plan)
    return _from_history(cluster, plan, protocol)


def _row(plan: Plan, total: int, channel: str, seq: int, text: str) -> tuple[int, int, int, int]:
    message, flaw = identify(plan, total, text)
    return (message, channel_index(plan.run_id, channel), seq, flaw)


async def _from_database(address: Endpoint, plan: Plan) -> AsyncIterator[Iterable[Stored]]:
    connection = await connect(address, timeout_s=10.0, purpose="audit")
    try:
        async with connection.transaction(readonly=True):
            cursor = await connection.cursor(
                f"SELECT channel, seq, text FROM {quoted(plan.messages_table)} "  # noqa: S608 - quoted as an identifier
                "WHERE starts_with(channel, $1) ORDER BY channel, seq",
                f"{plan.run_id}.",
            )
            while rows := await cursor.fetch(BATCH_ROWS):
                yield [tuple(row) for row in rows]
    finally:
        await connection.close(timeout=5)


async def _from_history(cluster: Cluster, plan: Plan, protocol: ClientProtocol) -> AsyncIterator[Iterable[Stored]]:
    """Channel by channel, a few at a time; the channels are divided among the servers."""
    async with open_session(protocol, cluster.token) as session:
        for first in range(0, plan.channels, HISTORY_AT_ONCE):
            channels = range(first, min(first + HISTORY_AT_ONCE, plan.channels))
            for found in await asyncio.gather(
                *(_one_history(session, cluster, plan, protocol, index) for index in channels)
            ):
                yield found


async def _one_history(
    session: aiohttp.ClientSession, cluster: Cluster, plan: Plan, protocol: ClientProtocol, index: int
) -> list[Stored]:
    """From the channel's own server or, if that one does not answer, from another: all read the same database."""
    count, total = len(cluster.servers), len(schedule(plan))
    name = channel_name(plan.run_id, index)
    for attempt in range(count):
        try:
            return await _history_from(
                session, cluster.servers[(index + attempt) % count], protocol, name, HISTORY_LIMIT + 2 * total
            )
        except (*EXCHANGE_ERRORS, BadAnswer):
            if attempt == count - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _history_from(
    session: aiohttp.ClientSession, server: ServerAddress, protocol: ClientProtocol, name: str, limit: int
) -> list[Stored]:
    """All messages of a channel, page by page up to the newest: a page may be short. Raises BadAnswer if a page brings
    no new message although there are more, and for a channel with more than ``limit`` messages."""
    stored: list[Stored] = []
    since = 0
    while True:
        request = protocol.history(name, since=since, limit=HISTORY_ROWS)
        if request is None:
            raise EnvironmentFailure(
                "stored messages cannot be read: the client protocol has no history, and the harness does not know the "
                "table of messages"
            )
        response = await exchange(session, server, request, timeout_s=HISTORY_TIMEOUT_S)
        page = protocol.parse_history(response.status, response.body, name)
        stored += [(name, message.seq, message.text) for message in page.messages]
        newest = page.messages[-1].seq if page.messages else since
        if newest >= page.last_seq:
            return stored
        if newest <= since:
            raise BadAnswer(
                f"the history of channel {name} makes no progress at {server.url}: last_seq is {page.last_seq:,}, but "
                f"nothing newer comes after seq {since:,}"
            )
        if len(stored) > limit:
            raise BadAnswer(f"the history of channel {name} at {server.url} has more than {limit:,} messages")
        since = newest
