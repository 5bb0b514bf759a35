"""Collects the servers' traces after a run, through the client protocol."""

from pathlib import Path

import aiohttp
import numpy as np
from numpy.typing import NDArray

from harness.model.cluster import Cluster, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.model.message import channel_index
from harness.model.plan import Plan
from harness.protocol.contract import BadAnswer, ClientProtocol, TracePage, TracePart
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, open_session, reason
from harness.recording.arrays import RowFile
from harness.recording.format import ACCEPTED, BACKPLANE, DELIVERED

PAGE_ROWS = 50_000
PAGE_TIMEOUT_S = 30.0


_MALFORMED = (BadAnswer, ValueError, TypeError, OverflowError)
"""The errors of rows that break the protocol."""

_LAYOUTS = {TracePart.ACCEPTED: ACCEPTED, TracePart.DELIVERED: DELIVERED, TracePart.BACKPLANE: BACKPLANE}


async def collect_traces(cluster: Cluster, plan: Plan, protocol: ClientProtocol, folder: Path) -> dict[str, int]:
    """Write accepted-NN.npy, delivered-NN.npy and backplane-NN.npy for every server that has a trace; NN counts from 0.

    Returns how many messages the backplane brought to each server, by its name, if the server reports it.

    A server without a trace leaves no files. Raises EnvironmentFailure, after all others were asked, with the servers
    that did not answer as the protocol says.
    """
    problems = []
    received: dict[str, int] = {}
    async with open_session(protocol, cluster.token) as session:
        for index, server in enumerate(cluster.servers):
            for part in TracePart:
                try:
                    path = folder / "arrays" / f"{part}-{index:02}.npy"
                    page = await _collect(session, server, part, plan, protocol, path)
                    if page is not None and page.received is not None:
                        received[server.name] = page.received
                except (*EXCHANGE_ERRORS, *_MALFORMED) as error:
                    problems.append(f"{server.name}: {part}: {reason(error)}")
    if problems:
        raise EnvironmentFailure("; ".join(problems))
    return received


async def _collect(
    session: aiohttp.ClientSession,
    server: ServerAddress,
    part: TracePart,
    plan: Plan,
    protocol: ClientProtocol,
    path: Path,
) -> TracePage | None:
    """Write one part. Returns its last page, None if the server has no such part."""
    offset = 0
    file: RowFile | None = None
    try:
        while page := await _page(session, server, protocol, part, offset):
            file = file or RowFile(path, _LAYOUTS[part])
            file.append(_rows(page.rows, part, plan))
            offset += len(page.rows)
            if offset >= page.total:
                if page.dropped:
                    raise ValueError(f"the server had no room for {page.dropped:,} rows")
                return page
            if not page.rows:
                raise ValueError(f"expected {page.total:,} rows, found {offset:,}")
        if file is not None:
            raise ValueError(f"expected more than {offset:,} rows, found no trace any more")
        return None
    finally:
        if file is not None:
            file.close()


async def _page(
    session: aiohttp.ClientSession, server: ServerAddress, protocol: ClientProtocol, part: TracePart, offset: int
) -> TracePage | None:
    request = protocol.trace(part, offset=offset, limit=PAGE_ROWS)
    if request is None:
        return None
    response = await exchange(session, server, request, timeout_s=PAGE_TIMEOUT_S)
    return protocol.parse_trace(part, response.status, response.body)


def _rows(rows: list[tuple[str | int, ...]], part: TracePart, plan: Plan) -> NDArray[np.void]:
    """The rows of this run's channels, or of the backplane's states, in the layout of the file."""
    if part is TracePart.BACKPLANE:
        return np.array(rows, _LAYOUTS[part])
    kept = []
    for channel, *values in rows:
        index = channel_index(plan.run_id, str(channel))
        if 0 <= index < plan.channels:  # other users may use the same cluster
            kept.append((index, *values))
    return np.array(kept, _LAYOUTS[part])
