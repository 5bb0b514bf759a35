"""Row files of one load worker, and live figures about what is written to them."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.load.client import Client, Sink
from harness.load.engine.job import Report
from harness.load.frames import FrameTable
from harness.load.incidents import Incidents
from harness.load.reached_pairs import ReachedPairs
from harness.planning.arrivals import PROBE, Schedule
from harness.recording.arrays import RowFile
from harness.recording.format import DELIVERY, FRAME, INCIDENTS, SESSION

SAMPLE = 500
"""Latencies of one report at most."""


class WorkerRows:
    """Writes deliveries-NN, frames-NN and sessions-NN.npy, and the worker's incidents. ``sink`` is what the clients
    append their deliveries to.

    Every method raises OSError if the disk does not take the rows.
    """

    def __init__(
        self,
        folder: Path,
        index: int,
        *,
        frames: FrameTable,
        schedule: Schedule,
        reached: ReachedPairs,
        report: Report,
    ) -> None:
        self.incidents = Incidents(folder / f"{INCIDENTS}-worker-{index:02}.json")
        self.sink = Sink(frames, self.incidents)
        self._frames = frames
        self._schedule = schedule
        self._reached = reached
        self._report = report
        self._deliveries = RowFile(folder / f"deliveries-{index:02}.npy", DELIVERY)
        self._frame_rows = RowFile(folder / f"frames-{index:02}.npy", FRAME)
        self._sessions = RowFile(folder / f"sessions-{index:02}.npy", SESSION)
        self._start_ns = 0
        self._probed: set[int] = set()
        self._flushed = 0

    @property
    def delivered(self) -> int:
        """Deliveries so far, written or not."""
        return self._flushed + self.pending

    @property
    def pending(self) -> int:
        """Deliveries that are not written yet."""
        return len(self.sink.rows) // 2

    def start(self, start_ns: int) -> None:
        """Offset 0 of the schedule is at ``start_ns``: from now on the report shows latencies."""
        self._start_ns = start_ns

    def end_session(self, client: Client) -> None:
        """Write that the client's present connection ended."""
        row = (
            client.index,
            client.server,
            client.close_code,
            client.connected_ns,
            client.subscribed_ns,
            client.dialogue.position,
            time.monotonic_ns(),
        )
        self._sessions.append(np.array([row], SESSION))

    def disregard(self, messages: Sequence[int]) -> None:
        """Deliveries of these messages do not count as deliveries that the fleet waits for."""
        self.flush()
        self._reached.disregard(messages)
        self._report.reached = self._reached.count
        self._report.disregarded += len(messages)

    def flush(self) -> None:
        """Write what arrived since the last call."""
        rows = self.sink.rows
        frames = self._frames.take_rows()
        self._reached.add_frames(frames)
        if rows:
            self._deliveries.append(rows)
            deliveries = np.frombuffer(rows, DELIVERY).copy()
            self._reached.add(deliveries)
            self._report.reached = self._reached.count
            self._report.broken = self._reached.broken
            self._update_report(deliveries)
            self._flushed += len(rows) // 2
            # The array object stays, because clients hold its ``append``.
            del rows[:]
        if len(frames):
            self._frame_rows.append(frames)
        self.incidents.flush()

    def close(self) -> None:
        self.flush()
        for file in (self._deliveries, self._frame_rows, self._sessions):
            file.close()

    def _update_report(self, rows: "np.ndarray[tuple[int, ...], np.dtype[np.void]]") -> None:
        """Before the start: how many clients saw their probe. After it: a sample of latencies."""
        if not self._start_ns:
            messages = self._frames.messages()[rows["frame"]]
            probes = (messages >= 0) & (self._schedule.phase[messages] == PROBE)
            self._probed.update(rows["client"][probes].tolist())
            self._report.probed = len(self._probed)
            return
        sample = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
        messages = np.array([self._frames.message_of(number) for number in sample["frame"].tolist()], np.int64)
        known = messages >= 0
        due_ns = self._start_ns + self._schedule.offset_ns[messages[known]]
        self._report.latencies_ms = tuple(((sample["received_ns"][known] - due_ns) / 1e6).round(2).tolist())
