"""How fast a recording is judged and reported, and in how much memory: of 160,000 clients on 16 servers."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap

from bench.load_worker import a_plan
from bench.table import machine
from harness.model.clock import HostClock, clocks_of
from harness.model.component import LOCAL_HOST
from harness.model.plan import Plan
from harness.planning.arrivals import schedule
from harness.planning.placement import client_channels, client_servers, client_workers
from harness.recording import format as layout
from harness.recording.writer import Journal, fill_folder, write_clocks

CLIENTS, SERVERS, WORKERS = 160_000, 16, 4
AUDIENCE, RATE_HZ = 100, 1_000.0
SHORT_S, LONG_S = 60.0, 240.0
START_NS = 10**12
JUDGE_MARK_HZ = 5e6
REPORT_MARK_S = 10.0
GROWTH_MARK = 0.3
COLUMNS = (8, 14, 12, 12, 10, 12, 12, 10)


class Cost(NamedTuple):
    wall_s: float
    cpu_s: float
    anonymous_bytes: int
    """the highest value: memory that is mapped from files can be dropped at any time and is not counted"""


def a_recording(folder: Path, duration_s: float) -> int:
    """A run in which every delivery came, with the servers' traces and the audit. Returns the number of deliveries."""
    plan = replace(
        a_plan(),
        scenario="judged",
        servers=SERVERS,
        clients=CLIENTS,
        workers=WORKERS,
        audience=AUDIENCE,
        asked_audience=AUDIENCE,
        channels=CLIENTS // AUDIENCE,
        rate_hz=RATE_HZ,
        duration_s=duration_s,
    )
    fill_folder(folder, plan)
    arrays = folder / layout.ARRAYS
    made = schedule(plan)
    total = len(made)
    order = np.argsort(made.channel, kind="stable")
    starts = np.searchsorted(made.channel[order], np.arange(plan.channels))
    posts = np.zeros(total, layout.POST)
    posts["phase"], posts["channel"], posts["server"] = made.phase, made.channel, made.server
    posts["outcome"], posts["http_status"] = layout.ACKNOWLEDGED, 200
    posts["seq"][order] = np.arange(total) - np.repeat(starts, np.bincount(made.channel)) + 1
    posts["intended_ns"] = START_NS + made.offset_ns
    posts["sent_ns"], posts["answered_ns"] = posts["intended_ns"] + 1_000, posts["intended_ns"] + 4_000_000
    np.save(arrays / "posts.npy", posts)
    stored = np.zeros(total, layout.STORED)
    stored["message"], stored["channel"], stored["seq"] = order, made.channel[order], posts["seq"][order]
    np.save(arrays / "stored.npy", stored)
    _traces(plan, arrays, posts)
    for worker in range(WORKERS):
        _seen(plan, arrays, posts, worker)
    here = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found="made up")
    write_clocks(folder, clocks_of(workers=WORKERS, servers=dict.fromkeys(range(SERVERS), here), found="made up"))
    with Journal(folder) as journal:
        journal.machine({})
        journal.event("schedule", start_ns=START_NS)
        journal.event("ended", how="complete", why="")
    return total * AUDIENCE


def _traces(plan: Plan, arrays: Path, posts: "np.ndarray[tuple[int], np.dtype[np.void]]") -> None:
    rng = np.random.default_rng(0)
    pairs = np.zeros((SERVERS, plan.channels), np.uint32)
    np.add.at(pairs, (client_servers(plan), client_channels(plan)), 1)
    for server in range(SERVERS):
        own = posts[posts["server"] == server]
        accepted = np.zeros(len(own), layout.ACCEPTED)
        accepted["channel"], accepted["seq"] = own["channel"], own["seq"]
        for name, after_ns in (("accepted_ns", 200_000), ("committed_ns", 3_000_000), ("published_ns", 3_100_000)):
            accepted[name] = own["intended_ns"] + after_ns
        np.save(arrays / f"accepted-{server:02}.npy", accepted)
        sockets = pairs[server, posts["channel"]]
        mine = posts[sockets > 0]
        delivered = np.zeros(len(mine), layout.DELIVERED)
        delivered["channel"], delivered["seq"], delivered["sockets"] = (
            mine["channel"],
            mine["seq"],
            sockets[sockets > 0],
        )
        delivered["received_ns"] = (
            mine["intended_ns"] + 3_500_000 + rng.exponential(500_000, len(mine)).astype(np.int64)
        )
        delivered["written_ns"] = delivered["received_ns"] + 200_000
        np.save(arrays / f"delivered-{server:02}.npy", delivered)


def _seen(plan: Plan, arrays: Path, posts: "np.ndarray[tuple[int], np.dtype[np.void]]", worker: int) -> None:
    """The rows of one load worker: each delivery a little more than 5 ms after its intended time."""
    rng = np.random.default_rng(worker)
    total = len(posts)
    frames = np.zeros(total, layout.FRAME)
    frames["message"], frames["channel"], frames["seq"] = np.arange(total), posts["channel"], posts["seq"]
    np.save(arrays / f"frames-{worker:02}.npy", frames)
    clients = np.flatnonzero(client_workers(plan) == worker)
    by_channel = np.argsort(client_channels(plan)[clients], kind="stable")
    clients = clients[by_channel]
    sizes = np.bincount(client_channels(plan)[clients], minlength=plan.channels)
    first = np.cumsum(sizes) - sizes
    rows = sizes[posts["channel"]]
    ends = np.cumsum(rows)
    deliveries = open_memmap(arrays / f"deliveries-{worker:02}.npy", "w+", layout.DELIVERY, (int(ends[-1]),))
    for low in range(0, total, 10_000):
        part = slice(low, min(low + 10_000, total))
        count = rows[part]
        where = slice(int(ends[low] - rows[low]), int(ends[part.stop - 1]))
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        deliveries["client"][where] = clients[np.repeat(first[posts["channel"][part]], count) + within]
        deliveries["frame"][where] = np.repeat(np.arange(part.start, part.stop), count)
        late = 5_000_000 + rng.exponential(3_000_000, int(count.sum())).astype(np.int64)
        deliveries["received_ns"][where] = np.repeat(posts["intended_ns"][part], count) + late
    deliveries.flush()
    sessions = np.zeros(len(clients), layout.SESSION)
    sessions["client"], sessions["server"] = clients, client_servers(plan)[clients]
    sessions["close_code"], sessions["subscribed_ns"], sessions["ended_ns"] = 1000, 1, START_NS + 10**15
    np.save(arrays / f"sessions-{worker:02}.npy", sessions)


def run(*command: str) -> Cost:
    """Time and memory of `harness COMMAND`, with any verdict."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("harness")), *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    highest = 0
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return Cost(time.monotonic() - began_s, usage.ru_utime + usage.ru_stime, highest)
        highest = max(highest, _anonymous_bytes(process.pid))
        time.sleep(0.02)


def _anonymous_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def main() -> bool:
    print(machine())
    columns = zip(
        ("", "deliveries", "recording", "judge CPU", "wall", "million/s", "memory", "report"), COLUMNS, strict=True
    )
    print("\n" + "".join(f"{name:>{width}}" for name, width in columns))
    kept = True
    costs: list[tuple[int, Cost]] = []
    sizes: list[int] = []
    with tempfile.TemporaryDirectory() as base:
        for name, duration_s in (("short", SHORT_S), ("long", LONG_S)):
            folder = Path(base) / name
            count = a_recording(folder, duration_s)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            judged, reported = run("judge", str(folder)), run("report", str(folder))
            verdict = json.loads((folder / layout.VERDICT).read_text())
            assert verdict["run"]["delivery"]["measured"]["lost"] == 0
            assert verdict["run"]["latency"]["count"] > 0.9 * count
            costs.append((count, judged))
            sizes.append(size)
            rate_hz = count / judged.cpu_s
            kept &= reported.wall_s <= REPORT_MARK_S
            cells = (
                name,
                f"{count:,}",
                f"{size / 1e6:,.0f} MB",
                f"{judged.cpu_s:.1f} s",
                f"{judged.wall_s:.1f} s",
                f"{rate_hz / 1e6:.1f}",
                f"{judged.anonymous_bytes / 1e6:,.0f} MB",
                f"{reported.wall_s:.1f} s",
            )
            print("".join(f"{cell:>{width}}" for cell, width in zip(cells, COLUMNS, strict=True)))
    (few, small), (many, large) = costs
    # What a judge costs whatever the size (start, plan, 160,000 clients) is the difference's concern, not the rate's.
    marginal_hz = (many - few) / (large.cpu_s - small.cpu_s)
    growth = (large.anonymous_bytes - small.anonymous_bytes) / (sizes[1] - sizes[0])
    kept &= marginal_hz >= JUDGE_MARK_HZ and growth <= GROWTH_MARK
    print(f"\neach further delivery: {marginal_hz / 1e6:.1f} million/s of one core (mark {JUDGE_MARK_HZ / 1e6:g})")
    print(f"each further byte of the recording: {growth:.2f} bytes of memory (mark {GROWTH_MARK:g})")
    print(f"report: mark {REPORT_MARK_S:g} s; {'all marks kept' if kept else 'a mark was missed'}")
    return kept


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
