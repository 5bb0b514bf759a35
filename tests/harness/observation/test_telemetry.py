"""Sampling the machine and the parts of a cluster."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import psutil
import pytest

from harness.model.cluster import Endpoint
from harness.observation.telemetry import DISK_STALL_S, Telemetry, _Disk, _Machine, cpu_time_s


@pytest.mark.parametrize("steps", range(6))
def test_it_may_end_at_any_step_of_a_sample(tmp_path: Path, steps: int) -> None:
    """The telemetry may end even before it asks a part. It leaves no coroutine unawaited (pytest turns that warning
    into a failure)."""
    cluster: Any = SimpleNamespace(
        components=(),
        broker=Endpoint(kind="redis", host="127.0.0.1", port=1, password=""),
        database=Endpoint(kind="postgresql", host="127.0.0.1", port=1, user="u", password="", database="d"),
    )

    async def scenario() -> None:
        async with Telemetry(cluster, generator=tuple, path=tmp_path / "telemetry.jsonl"):
            for _ in range(steps):
                await asyncio.sleep(0)

    asyncio.run(scenario())
    gc.collect()


BUSY = """
import sys, threading, time
def work():
    while time.thread_time() < 0.05: pass
thread = threading.Thread(target=work)
thread.start(); thread.join(); work()
print(time.process_time(), flush=True)
sys.stdin.read()
"""


def test_the_cpu_time_of_a_process_counts_all_its_threads() -> None:
    """A thread that ended has used half of it. The process says itself how much it used; nothing is known of it when it
    has ended."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said_s = float(process.stdout.readline())
        handle = psutil.Process(process.pid)
        assert said_s <= cpu_time_s(handle) < said_s + 0.05
        process.kill()
        process.wait()
        with pytest.raises(psutil.NoSuchProcess):
            cpu_time_s(handle)


def test_where_processes_have_no_clock_psutil_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems other than Linux."""
    monkeypatch.setattr("sys.platform", "darwin")
    times = SimpleNamespace(user=1.25, system=0.5)
    assert cpu_time_s(cast("psutil.Process", SimpleNamespace(cpu_times=lambda: times))) == 1.75


class Times(NamedTuple):
    """The times of one core, in the form that psutil returns."""

    user: float
    idle: float


def test_busy_cores_are_those_that_the_run_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `taskset -c 0`, work of other programs on core 1 takes nothing from the run."""
    idle, busy = (Times(user=user, idle=100.0 - user) for user in (1.0, 90.0))
    monkeypatch.setattr("psutil.cpu_times", lambda percpu: [idle, busy])
    assert _Machine({0}).sample()["busy_s"] == 1.0
    assert _Machine(None).sample()["busy_s"] == 91.0


def test_a_stall_of_the_disk_counts_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stays stalled to the end. A sample during the stall has the time so far, and a later sample has more."""
    written, over = Event(), Event()

    def fsync(file: int) -> None:
        if written.is_set():
            assert over.wait(10)
        written.set()

    monkeypatch.setattr(os, "fsync", fsync)
    disk = _Disk()
    disk.start()
    assert written.wait(10)
    limit_s = time.monotonic() + 10
    samples = []
    while time.monotonic() < limit_s and not (len(samples) > 1 and samples[-1] > samples[0] > 0):
        found = disk.sample().get("disk_stalled_s", 0.0)
        samples += [found] if found else []
    over.set()
    disk.end()
    disk.join(10)
    assert samples[0] >= DISK_STALL_S
    assert disk.sample()["disk_stalled_s"] >= samples[-1], "what was told once is not taken back"
