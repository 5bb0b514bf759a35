"""Damage to a recording: a copy of a correct recording is changed as a fault of the measurement would change it, and
judged."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.prove.demand import Observation
from harness.prove.stage import Stage
from harness.prove.trials import observation
from harness.recording import format as layout
from harness.recording.reader import Rows, read_events
from harness.recording.seal import write_seal

LOST_ROWS = 50
STEP_NS = 300_000_000
OTHER_CLOCK_NS = 30_000_000_000
STALL_NS = 150_000_000
FAR_HOST = "another-host"
WORKER_FILES = ("deliveries-00", "sessions-00", "heartbeat-worker-00")
AHEAD_NS = 50_000_000
TRACE_TIMES = ("accepted_ns", "committed_ns", "published_ns", "received_ns", "written_ns")
TIMES = ("received_ns", "connected_ns", "subscribed_ns", "ended_ns", "at_ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheRecording:
    """``damage`` changes the recording in a folder and returns how many events it planted.

    ``before_seal``: the fault happened before the run was sealed, so that the seal fits the changed files. ``is_bug``:
    the verdict must change by it; a control must leave it as it is.
    """

    damage: Callable[[Path], int]
    before_seal: bool = True
    is_bug: bool = True

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        faithful = await stage.faithful_run()
        copy = folder / "damaged"
        shutil.copytree(faithful.folder, copy, ignore=shutil.ignore_patterns(layout.VERDICT, layout.SERIES))
        events = self.damage(copy)
        if self.before_seal:
            write_seal(copy)
        found = observation(await stage.judge(copy), events)
        return replace(found, before=faithful.verdict) if self.is_bug else found


def cut_short(folder: Path) -> int:
    """The file of deliveries ends in the middle."""
    path = _array(folder, "deliveries-00")
    size = path.stat().st_size
    with path.open("rb+") as file:
        file.truncate(size // 2)
    return 1


def without_end(folder: Path) -> int:
    """The events end in the measured window."""
    path = folder / layout.EVENTS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if json.loads(line).get("name") == "measure")
    path.write_text("".join(lines[: last + 1]), encoding="utf-8")
    return 1


def without_worker(folder: Path) -> int:
    """A load worker left no rows."""
    for name in ("deliveries-00", "frames-00", "sessions-00"):
        _array(folder, name).unlink()
    return 1


def without_deliveries(folder: Path) -> int:
    """Rows in the middle of the deliveries are missing."""
    rows = _read(folder, "deliveries-00")
    middle = len(rows) // 2
    _write(folder, "deliveries-00", np.delete(rows, slice(middle, middle + LOST_ROWS)))
    return LOST_ROWS


def without_frames(folder: Path) -> int:
    """The last texts are missing."""
    rows = _read(folder, "frames-00")
    _write(folder, "frames-00", rows[:-LOST_ROWS])
    return LOST_ROWS


def without_posts(folder: Path) -> int:
    """The last rows of the ledger are missing."""
    rows = _read(folder, "posts")
    _write(folder, "posts", rows[:-LOST_ROWS])
    return LOST_ROWS


def without_heartbeats(folder: Path) -> int:
    """No heartbeat shows whether the load workers kept up."""
    _array(folder, "heartbeat-worker-00").unlink()
    return 1


def without_telemetry(folder: Path) -> int:
    """No telemetry shows the load of the machine in the measured window."""
    path = folder / layout.TELEMETRY
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(lines[0], encoding="utf-8")
    return len(lines) - 1


def clock_steps_back(folder: Path) -> int:
    """The load worker's clock steps back in the middle."""
    return _step(folder, -STEP_NS)


def clock_steps_forward(folder: Path) -> int:
    """The load worker's clock steps forward in the middle; its heartbeat notices a late beat."""
    events = _step(folder, STEP_NS)
    beats = _read(folder, "heartbeat-worker-00")
    beats["late_ns"][_first_after_step(beats["at_ns"])] += STEP_NS
    _write(folder, "heartbeat-worker-00", beats)
    return events


def unknown_clock(folder: Path) -> int:
    """The load worker ran on another host, and its clock was not compared."""
    _move_worker(folder, offset_ns=None, bound_ns=None)
    return _shift(folder, OTHER_CLOCK_NS)


def second_clock(folder: Path) -> int:
    """The load worker ran on another host with another clock, and the offset is known to 0.1 ms."""
    _move_worker(folder, offset_ns=-OTHER_CLOCK_NS, bound_ns=100_000)
    return _shift(folder, OTHER_CLOCK_NS)


def server_clock_ahead(folder: Path) -> int:
    """Every time in the traces of the second server is 50 ms later."""
    for name in ("accepted-01", "delivered-01"):
        rows = _read(folder, name)
        for column in set(TRACE_TIMES) & set(rows.dtype.names or ()):
            rows[column][rows[column] > 0] += AHEAD_NS
        _write(folder, name, rows)
    return 1


def disk_stalls(folder: Path) -> int:
    """For a twentieth of the time the disk let writes wait, and a twentieth of the messages is late."""
    path = folder / layout.TELEMETRY
    samples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, sample in enumerate(samples):
        sample["machine"]["disk_stalled_s"] = 0.05 * number
    path.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    rows, frames = _read(folder, "deliveries-00"), _read(folder, "frames-00")
    late = frames["message"][rows["frame"]] % 20 == 0
    rows["received_ns"][late] += STALL_NS
    _write(folder, "deliveries-00", rows)
    return len(np.unique(frames["message"][rows["frame"]][late]))


def _array(folder: Path, name: str) -> Path:
    return folder / layout.ARRAYS / f"{name}.npy"


def _read(folder: Path, name: str) -> Rows:
    rows: Rows = np.load(_array(folder, name))
    return rows


def _write(folder: Path, name: str, rows: Rows) -> None:
    np.save(_array(folder, name), rows)


def _step_at_ns(folder: Path) -> int:
    """The middle of the measured window."""
    events = read_events(folder)
    measured, drained = (
        next(event["at_ns"] for event in events if event.get("name") == name) for name in ("measure", "drain")
    )
    return int(measured + drained) // 2


def _step(folder: Path, step_ns: int) -> int:
    """From the middle on, every time of the load worker is ``step_ns`` later."""
    at_ns = _step_at_ns(folder)
    for name in WORKER_FILES:
        rows = _read(folder, name)
        for column in set(TIMES) & set(rows.dtype.names or ()):
            rows[column][rows[column] >= at_ns] += step_ns
        _write(folder, name, rows)
    return 1


def _first_after_step(at_ns: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> int:
    return int(np.argmax(np.diff(at_ns))) + 1


def _shift(folder: Path, shift_ns: int) -> int:
    for name in WORKER_FILES:
        rows = _read(folder, name)
        for column in set(TIMES) & set(rows.dtype.names or ()):
            rows[column][rows[column] > 0] += shift_ns
        _write(folder, name, rows)
    return 1


def _move_worker(folder: Path, *, offset_ns: int | None, bound_ns: int | None) -> None:
    """By clocks.json the load worker ran on another host."""
    path = folder / layout.CLOCKS
    clocks = json.loads(path.read_text(encoding="utf-8"))
    clocks["hosts"].append({"host": FAR_HOST, "offset_ns": offset_ns, "bound_ns": bound_ns, "found": "planted"})
    clocks["files"] |= dict.fromkeys((*WORKER_FILES, "frames-00"), FAR_HOST)
    path.write_text(json.dumps(clocks), encoding="utf-8")
