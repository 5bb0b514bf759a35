from pathlib import Path

import numpy as np
import pytest

from harness.prove import damages
from harness.recording import format as layout

MS = 1_000_000
S = 1_000_000_000


def save(folder: Path, name: str, rows: "list[tuple[int, ...]]", dtype: "np.dtype[np.void]") -> None:
    np.save(folder / layout.ARRAYS / f"{name}.npy", np.array(rows, dtype))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the damages change. They hold 200 deliveries of 200 messages, 10 ms apart, from 1 s to 3 s."""
    found = tmp_path / "run"
    (found / layout.ARRAYS).mkdir(parents=True)
    at = [S + number * 10 * MS for number in range(200)]
    save(found, "deliveries-00", [(0, n, at[n]) for n in range(200)], layout.DELIVERY)
    save(found, "frames-00", [(n, 0, n + 1, 0) for n in range(200)], layout.FRAME)
    save(found, "posts", [(2, 1, 0, 0, 200, n + 1, at[n], at[n], at[n]) for n in range(200)], layout.POST)
    save(found, "sessions-00", [(0, 0, 1000, 5 * MS, 6 * MS, 0, 4 * S)], layout.SESSION)
    save(found, "heartbeat-worker-00", [(t, 0, 0, 0, 1) for t in at], layout.HEARTBEAT)
    save(found, "accepted-01", [(0, 1, S, S + MS, 0)], layout.ACCEPTED)
    save(found, "delivered-01", [(0, 1, S, S + MS, 1, 0)], layout.DELIVERED)
    phases = ("start", S - 1), ("measure", S), ("drain", 3 * S)
    events = [f'{{"at_ns": {at_ns}, "event": "phase", "name": "{name}"}}\n' for name, at_ns in phases]
    (found / layout.EVENTS).write_text("".join(events))
    (found / layout.TELEMETRY).write_text('{"machine": {}}\n' * 3)
    (found / layout.CLOCKS).write_text('{"hosts": [], "files": {"deliveries-00": "local", "posts": "local"}}')
    return found


def rows(folder: Path, name: str) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    found: np.ndarray[tuple[int], np.dtype[np.void]] = np.load(folder / layout.ARRAYS / f"{name}.npy")
    return found


def test_rows_are_missing_where_they_were(folder: Path) -> None:
    """Fifty deliveries in the middle, the last fifty texts and the last fifty posts are missing."""
    assert damages.without_deliveries(folder) == damages.without_frames(folder) == damages.without_posts(folder) == 50
    assert rows(folder, "deliveries-00")["frame"].tolist() == [*range(100), *range(150, 200)]
    assert len(rows(folder, "frames-00")) == len(rows(folder, "posts")) == 150


@pytest.mark.parametrize(("step", "by_ns"), [("clock_steps_back", -300 * MS), ("clock_steps_forward", 300 * MS)])
def test_a_clock_steps_in_the_middle_of_the_measured_window(folder: Path, step: str, by_ns: int) -> None:
    """All later times of the load worker change, and no other times. A heartbeat that is waiting notices a step
    forward."""
    before = rows(folder, "deliveries-00")["received_ns"].copy()
    assert getattr(damages, step)(folder) == 1
    after = rows(folder, "deliveries-00")["received_ns"]
    assert (after - before).tolist() == [0] * 100 + [by_ns] * 100
    beats = rows(folder, "heartbeat-worker-00")
    assert beats["late_ns"].sum() == max(by_ns, 0)
    assert rows(folder, "posts")["sent_ns"][-1] == S + 1_990 * MS


def test_a_second_clock_is_named_with_its_files(folder: Path) -> None:
    """The times are those of the other clock. clocks.json holds its offset."""
    damages.second_clock(folder)
    assert rows(folder, "deliveries-00")["received_ns"][0] == 31 * S
    assert '"offset_ns": -30000000000' in (folder / layout.CLOCKS).read_text()
    assert '"deliveries-00": "another-host"' in (folder / layout.CLOCKS).read_text()


def test_a_disk_that_stalls_makes_one_message_in_twenty_late(folder: Path) -> None:
    """The telemetry shows the stall, and the deliveries show its effect."""
    before = rows(folder, "deliveries-00")["received_ns"].copy()
    assert damages.disk_stalls(folder) == 10
    late = np.flatnonzero(rows(folder, "deliveries-00")["received_ns"] - before)
    assert late.tolist() == list(range(0, 200, 20))
    assert '"disk_stalled_s": 0.1' in (folder / layout.TELEMETRY).read_text()


def test_what_never_came_is_not_there(folder: Path) -> None:
    """The end, a worker, its heartbeats and the telemetry are missing."""
    damages.without_end(folder)
    damages.without_worker(folder)
    damages.without_heartbeats(folder)
    damages.without_telemetry(folder)
    assert "drain" not in (folder / layout.EVENTS).read_text()
    assert len((folder / layout.TELEMETRY).read_text().splitlines()) == 1
    left = {path.stem for path in (folder / layout.ARRAYS).iterdir()}
    assert left == {"posts", "accepted-01", "delivered-01"}


def test_the_second_server_is_ahead_in_every_time(folder: Path) -> None:
    """A time of 0 means never, so it stays 0."""
    damages.server_clock_ahead(folder)
    assert rows(folder, "accepted-01")[0].tolist() == (0, 1, S + 50 * MS, S + 51 * MS, 0)
    assert rows(folder, "delivered-01")[0].tolist() == (0, 1, S + 50 * MS, S + 51 * MS, 1, 0)


def test_half_a_file_is_half(folder: Path) -> None:
    """The file is like a copy that was interrupted."""
    path = folder / layout.ARRAYS / "deliveries-00.npy"
    size = path.stat().st_size
    damages.cut_short(folder)
    assert path.stat().st_size == size // 2
