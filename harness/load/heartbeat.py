"""How a process of the load generator measures itself: a heartbeat that records its own lateness and the CPU used."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.recording.arrays import RowFile
from harness.recording.format import HEARTBEAT, HEARTBEAT_INTERVAL_NS

FLUSH_ROWS = 50


class Heartbeat:
    """Writes one row for each heartbeat. ``counts`` returns (deliveries or posts so far, connections).

    Deliveries are stamped by the same event loop, so a late heartbeat shows how late such a stamp may be. The times at
    which heartbeats are due never move: a row that is late by several intervals shows which heartbeats were missed.
    """

    def __init__(self, path: Path, counts: Callable[[], tuple[int, int]]) -> None:
        self._counts = counts
        self._file = RowFile(path, HEARTBEAT)
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._due_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._late_ns = 0

    def start(self) -> None:
        self._due_ns = time.monotonic_ns() + HEARTBEAT_INTERVAL_NS
        self._arm()

    def _arm(self) -> None:
        delay_s = max(0.0, (self._due_ns - time.monotonic_ns()) / 1e9)
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._beat)

    def _beat(self) -> None:
        self._note(time.monotonic_ns())
        if len(self._rows) >= FLUSH_ROWS:
            self._flush()
        self._arm()

    def _note(self, now_ns: int) -> None:
        # The loop counts in milliseconds and may wake a little early: that is not negative lateness.
        late_ns = max(0, now_ns - self._due_ns)
        self._late_ns = max(self._late_ns, late_ns)
        self._rows.append((self._due_ns + late_ns, late_ns, time.process_time_ns(), *self._counts()))
        self._due_ns += (late_ns // HEARTBEAT_INTERVAL_NS + 1) * HEARTBEAT_INTERVAL_NS

    def take_late_ms(self) -> float:
        """The latest heartbeat since the last call."""
        late_ns, self._late_ns = self._late_ns, 0
        return round(late_ns / 1e6, 2)

    def _flush(self) -> None:
        self._file.append(np.array(self._rows, HEARTBEAT))
        self._rows.clear()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            if (now_ns := time.monotonic_ns()) > self._due_ns:
                self._note(now_ns)  # the loop is stalled now: the heartbeat that is due would never be seen
        self._flush()
        self._file.close()
