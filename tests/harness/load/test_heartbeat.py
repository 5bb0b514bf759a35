"""The heartbeat of a process of the load generator."""

import asyncio
import time
from pathlib import Path

import numpy as np

from harness.load import heartbeat as module
from harness.load.heartbeat import Heartbeat
from harness.recording.format import HEARTBEAT_INTERVAL_NS


def test_it_shows_how_long_the_loop_was_blocked(tmp_path: Path) -> None:
    """The row of a late heartbeat holds its lateness, and the counts and the CPU time of that moment."""
    path = tmp_path / "heartbeat-worker-00.npy"

    async def scenario() -> None:
        heartbeat = Heartbeat(path, lambda: (7, 3))
        heartbeat.start()
        await asyncio.sleep(0.1)
        time.sleep(0.2)  # noqa: ASYNC251 - the blocked loop is what is shown
        await asyncio.sleep(0.05)
        heartbeat.close()

    asyncio.run(scenario())
    rows = np.load(path)
    at_ns, late_ns, cpu_ns, delivered, connected = (rows[name] for name in rows.dtype.names)
    assert late_ns.min() >= 0
    assert late_ns.max() >= 200_000_000 - HEARTBEAT_INTERVAL_NS
    assert (np.diff(at_ns) > 0).all()
    assert (np.diff(cpu_ns) >= 0).all()
    missed = late_ns // HEARTBEAT_INTERVAL_NS
    due_ns = at_ns - late_ns
    assert (np.diff(due_ns) == (missed[:-1] + 1) * HEARTBEAT_INTERVAL_NS).all(), (
        "every heartbeat that was due has a row"
    )
    assert set(delivered.tolist()) == {7}
    assert set(connected.tolist()) == {3}


def test_rows_are_written_now_and_then(tmp_path: Path) -> None:
    """The file has rows before the end, so a killed process loses at most FLUSH_ROWS heartbeats."""
    path = tmp_path / "heartbeat-worker-00.npy"

    async def scenario() -> int:
        heartbeat = Heartbeat(path, lambda: (0, 0))
        empty_bytes = path.stat().st_size
        heartbeat.start()
        async with asyncio.timeout(module.FLUSH_ROWS * 20 * HEARTBEAT_INTERVAL_NS / 1e9):
            while path.stat().st_size == empty_bytes:
                await asyncio.sleep(0.05)
        written = path.stat().st_size - empty_bytes
        heartbeat.close()
        return written

    assert asyncio.run(scenario()) % np.load(path).dtype.itemsize == 0


def test_a_loop_that_is_stalled_at_the_end_is_seen(tmp_path: Path) -> None:
    """The process ends before the overdue heartbeat. The heartbeat is still written."""
    path = tmp_path / "heartbeat-worker-00.npy"

    async def scenario() -> None:
        heartbeat = Heartbeat(path, lambda: (0, 0))
        heartbeat.start()
        time.sleep(0.1)  # noqa: ASYNC251 - the blocked loop is what is shown
        heartbeat.close()

    asyncio.run(scenario())
    assert np.load(path)["late_ns"].max() >= 100_000_000 - HEARTBEAT_INTERVAL_NS
