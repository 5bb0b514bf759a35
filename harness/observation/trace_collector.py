"""Takes the servers' traces after a run, through the protocol's trace route."""

from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.model.cluster import Cluster, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.model.message import channel_index
from harness.model.plan import Plan
from harness.recording.arrays import RowFile
from harness.recording.format import ACCEPTED, BACKPLANE, DELIVERED, DOWN, SUBSCRIBED, UP

PAGE_ROWS = 50_000
PAGE_TIMEOUT_S = 30.0


class _Page(msgspec.Struct):
    total: int
    dropped: int
    rows: list[list[Any]]


_MALFORMED = (ValueError, TypeError, KeyError, OverflowError)
"""What rows raise that are not as the protocol says."""

_PARTS = (("accepted", ACCEPTED), ("delivered", DELIVERED), ("backplane", BACKPLANE))
_STATES = {"down": DOWN, "up": UP, "subscribed": SUBSCRIBED}
_ABSENT = (400, 404)
"""A server without a trace, or one whose trace does not have this part."""

_decode = msgspec.json.Decoder(_Page).decode


async def collect_traces(cluster: Cluster, plan: Plan, folder: Path) -> None:
    """Write accepted-NN.npy, delivered-NN.npy and backplane-NN.npy for every server that has a trace; NN counts from 0.

    A server without a trace (404) leaves no files. Raises EnvironmentFailure, after all others were asked, with the
    servers that did not answer as the protocol says.
    """
    problems = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {cluster.token}"}) as session:
        for index, server in enumerate(cluster.servers):
            for part, dtype in _PARTS:
                try:
                    await _collect(session, server, part, plan, folder / "arrays" / f"{part}-{index:02}.npy", dtype)
                except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, *_MALFORMED) as error:
                    problems.append(f"{server.name}: {part}: {str(error) or type(error).__name__}")
    if problems:
        raise EnvironmentFailure("; ".join(problems))


async def _collect(
    session: aiohttp.ClientSession,
    server: ServerAddress,
    part: str,
    plan: Plan,
    path: Path,
    dtype: "np.dtype[np.void]",
) -> None:
    offset = 0
    file: RowFile | None = None
    try:
        while True:
            async with session.get(
                f"{server.url}/v1/trace",
                params={"part": part, "offset": offset, "limit": PAGE_ROWS},
                timeout=aiohttp.ClientTimeout(total=PAGE_TIMEOUT_S),
            ) as response:
                if response.status in _ABSENT and file is None:
                    return
                response.raise_for_status()
                page = _decode(await response.read())
            file = file or RowFile(path, dtype)
            file.append(_rows(page.rows, part, plan, dtype))
            offset += len(page.rows)
            if offset >= page.total:
                if page.dropped:
                    raise ValueError(f"the server had no room for {page.dropped:,} rows")
                return
            if not page.rows:
                raise ValueError(f"expected {page.total:,} rows, found {offset:,}")
    finally:
        if file is not None:
            file.close()


def _rows(rows: list[list[Any]], part: str, plan: Plan, dtype: "np.dtype[np.void]") -> NDArray[np.void]:
    """The rows of this run's channels, or of the backplane's states, in the layout of the file."""
    if part == "backplane":
        return np.array([(_STATES[state], at_ns) for state, at_ns in rows], dtype)
    kept = []
    for channel, *values in rows:
        index = channel_index(plan.run_id, channel)
        if not 0 <= index < plan.channels:
            continue  # somebody else's messages on the same cluster
        if part == "delivered":
            values[-1] = values[-1] == "recovered"
        kept.append((index, *values))
    return np.array(kept, dtype)
