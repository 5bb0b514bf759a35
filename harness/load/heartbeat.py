"""How a process of the load generator measures itself: a heartbeat that records its own lateness and the CPU used."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.recording.arrays import RowFile
from harness.recording.format import HEARTBEAT

INTERVAL_NS = 20_000_000
FLUSH_ROWS = 50


class Heartbeat:
    """Writes one row for each beat. ``counts`` returns (deliveries or posts so far, connections).

    Deliveries are stamped by the same event loop, so a late beat shows how late such a stamp may be."""

    def __init__(self, path: Path, counts: Callable[[], tuple[int, int]]) -> None:
        self._counts = counts
        self._file = RowFile(path, HEARTBEAT)
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._due_ns = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._due_ns = time.monotonic_ns() + INTERVAL_NS
        self._arm()

    def _arm(self) -> None:
        delay_s = max(0.0, (self._due_ns - time.monotonic_ns()) / 1e9)
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._beat)

    def _beat(self) -> None:
        now_ns = time.monotonic_ns()
        # The loop counts in milliseconds and may wake a little early: that is not negative lateness.
        late_ns = max(0, now_ns - self._due_ns)
        self._rows.append((now_ns, late_ns, time.process_time_ns(), *self._counts()))
        if len(self._rows) >= FLUSH_ROWS:
            self._flush()
        self._due_ns = max(self._due_ns + INTERVAL_NS, now_ns + 1)
        self._arm()

    def _flush(self) -> None:
        self._file.append(np.array(self._rows, HEARTBEAT))
        self._rows.clear()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
        self._file.close()
