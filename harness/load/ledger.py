"""The ledger: posts.npy, one row for each message of the schedule, with the outcome of its post."""

import os
from pathlib import Path

import numpy as np

from harness.planning.arrivals import Schedule
from harness.recording.format import POST


class Ledger:
    """The columns that the publisher writes, as arrays of shape (messages,) that are mapped into the file.

    They are separate arrays, because writing a field of a row costs several times as much.
    """

    def __init__(self, path: Path, schedule: Schedule) -> None:
        """Raises OSError if the disk has no room for the whole file."""
        self._rows = _mapped(path, len(schedule))
        self._rows["phase"] = schedule.phase
        self._rows["server"] = schedule.server
        self._rows["channel"] = schedule.channel
        self.outcome = self._rows["outcome"]
        self.http_status = self._rows["http_status"]
        self.seq = self._rows["seq"]
        self.server = self._rows["server"]
        """as planned; overwritten where another server got the post"""
        self.intended_ns = self._rows["intended_ns"]
        self.sent_ns = self._rows["sent_ns"]
        self.answered_ns = self._rows["answered_ns"]

    def flush(self) -> None:
        self._rows.flush()


def _mapped(path: Path, messages: int) -> "np.memmap[tuple[int, ...], np.dtype[np.void]]":
    """The file, mapped into memory: it is on disk at every moment, also when this process is killed.

    Its space is taken beforehand: a disk that is full later would end the process without a message (SIGBUS).
    """
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=POST, shape=(messages,))
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return rows
