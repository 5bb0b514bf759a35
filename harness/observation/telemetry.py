"""One sample per second of machine, processes, broker and database, as telemetry.jsonl (docs/recording.md)."""

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import msgspec
import psutil

from harness.components import adapter_of
from harness.components.adapter import Counters
from harness.model.cluster import Cluster, Endpoint
from harness.model.component import COMPONENT_KINDS, Component, Role

INTERVAL_S = 1.0
PART_TIMEOUT_S = 0.8
DISK_PAUSE_S = 0.05
DISK_STALL_S = 0.03
"""A write of one page that takes longer than this counts as a stall of the disk; usually a write takes a few
milliseconds."""

_log = logging.getLogger(__name__)


class Telemetry:
    """Samples while it is entered. A part that cannot be read (a broker may be down on purpose) is absent from its
    sample; it neither ends the run nor delays the other parts."""

    def __init__(self, cluster: Cluster, *, generator: Callable[[], Sequence[Component]], path: Path) -> None:
        self._machine = _Machine(_own_cores())
        self._disk = _Disk()
        self._processes = _Processes(lambda: [*cluster.components, *generator()])
        endpoints = {Role.BROKER: cluster.broker, Role.DATABASE: cluster.database}
        self._samplers = {
            str(role): adapter_of(endpoint.kind).sampler(endpoint, timeout_s=PART_TIMEOUT_S)
            for role, endpoint in endpoints.items()
            if endpoint is not None
        }
        self._errors: tuple[type[Exception], ...] = (OSError, TimeoutError, *_driver_errors(endpoints.values()))
        self._path = path
        self._newest: deque[dict[str, Any]] = deque(maxlen=2)
        self._task: asyncio.Task[None] | None = None

    def newest(self) -> tuple[dict[str, Any], ...]:
        """The last two samples, or fewer."""
        return tuple(self._newest)

    async def __aenter__(self) -> Self:
        self._disk.start()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._disk.end()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        for sampler in self._samplers.values():
            with contextlib.suppress(*self._errors):
                await sampler.close()

    async def _run(self) -> None:
        due_s = time.monotonic()
        with self._path.open("ab") as file:
            while True:
                sample = await self._sample()
                self._newest.append(sample)
                file.write(msgspec.json.encode(sample) + b"\n")
                file.flush()
                due_s = max(due_s + INTERVAL_S, time.monotonic())
                await asyncio.sleep(due_s - time.monotonic())

    async def _sample(self) -> dict[str, Any]:
        sample: dict[str, Any] = {"at_ns": time.monotonic_ns()}
        sample["machine"] = self._machine.sample() | self._disk.sample()
        sample["processes"] = self._processes.sample()
        found = await asyncio.gather(*(self._within(sampler.sample) for sampler in self._samplers.values()))
        return sample | {name: values for name, values in zip(self._samplers, found, strict=True) if values}

    async def _within(self, sample: Callable[[], Awaitable[Counters]]) -> Counters | None:
        # Called here, because a coroutine made earlier would never be awaited if the telemetry ended before its first
        # step.
        try:
            async with asyncio.timeout(PART_TIMEOUT_S):
                return await sample()
        except self._errors as error:
            _log.debug("not sampled: %s", error)
            return None


def _driver_errors(endpoints: Iterable[Endpoint | None]) -> tuple[type[Exception], ...]:
    return tuple(error for endpoint in endpoints if endpoint for error in adapter_of(endpoint.kind).errors)


class _Machine:
    """``cores`` are the numbers of those that count; None counts all."""

    def __init__(self, cores: Collection[int] | None) -> None:
        self._cores = cores

    def sample(self) -> dict[str, Any]:
        every = psutil.cpu_times(percpu=True)
        times = [one for number, one in enumerate(every) if self._cores is None or number in self._cores]
        memory = psutil.virtual_memory()
        return {
            "busy_s": sum(map(_busy_s, times)),
            "steal_s": sum(getattr(one, "steal", 0.0) for one in times),
            "memory_used_bytes": memory.total - memory.available,
            "memory_available_bytes": memory.available,
            **_tcp_counters(),
        }


def _busy_s(times: Any) -> float:
    """Busy seconds of one core since the system started, from psutil.cpu_times; iowait does not count as busy."""
    idle_s = times.idle + getattr(times, "iowait", 0.0) + getattr(times, "steal", 0.0)
    # guest time is part of user time already
    return float(sum(times) - idle_s - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0))


def _own_cores() -> Collection[int] | None:
    """The cores that this process, and the processes that it starts, may use; None if the system does not report them.
    Work on the other cores does not disturb a run."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


def _tcp_counters() -> dict[str, int]:
    """Segments sent again and connections refused by a full queue, from proc_net(5); empty on other systems."""
    found: dict[str, int] = {}
    for path, group, field, name in (
        ("/proc/net/snmp", "Tcp:", "RetransSegs", "retransmits"),
        ("/proc/net/netstat", "TcpExt:", "ListenOverflows", "listen_overflows"),
    ):
        try:
            lines = [
                line.split() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.startswith(group)
            ]
            found[name] = int(lines[1][lines[0].index(field)])
        except (OSError, ValueError, IndexError):
            continue
    return found


class _Disk(Thread):
    """Writes a page and waits until it is on disk, 20 times a second, on the disk of the embedded database. Every
    commit waits in the same way. So the figure distinguishes a disk that stalled from a database that was slow.
    """

    def __init__(self) -> None:
        super().__init__(name="disk probe", daemon=True)
        self._over = Event()
        self._works = False
        self._state = 0.0, 0.0
        """(seconds of all finished stalls, when the waiting write began, or 0), read and set in one step"""

    def run(self) -> None:
        try:
            with tempfile.TemporaryFile() as file:
                while not self._over.wait(DISK_PAUSE_S):
                    self._state = self._state[0], time.monotonic()
                    os.pwrite(file.fileno(), bytes(4096), 0)
                    os.fsync(file.fileno())
                    self._works = True
                    self._state = self._stalled_s(), 0.0
        except OSError as error:
            self._works = False
            _log.debug("the disk is not probed any longer: %s", error)

    def _stalled_s(self) -> float:
        """Seconds of all stalls so far, including one that still lasts: it may last until the end of the run."""
        stalled_s, begun_s = self._state
        waited_s = time.monotonic() - begun_s if begun_s else 0.0
        return stalled_s + (waited_s if waited_s >= DISK_STALL_S else 0.0)

    def sample(self) -> dict[str, float]:
        return {"disk_stalled_s": round(self._stalled_s(), 4)} if self._works else {}

    def end(self) -> None:
        """Return at once, even while a write waits for the disk."""
        self._over.set()


class _Processes:
    def __init__(self, processes: Callable[[], Sequence[Component]]) -> None:
        self._processes = processes
        self._handles: dict[int, psutil.Process] = {}
        self._itself = Component(name="harness", role=Role.HARNESS, kind="harness", pid=psutil.Process().pid)

    def sample(self) -> dict[str, Any]:
        return {
            process.name: values
            for process in (*self._processes(), self._itself)
            if (values := self._one(process)) is not None
        }

    def _one(self, process: Component) -> dict[str, float] | None:
        if process.pid is None:
            return None  # it runs on another kernel
        try:
            handle = self._handles.get(process.pid)
            if handle is None:
                handle = self._handles[process.pid] = psutil.Process(process.pid)
            # PostgreSQL runs a process per connection; its own CPU time also counts children that have ended.
            kind = COMPONENT_KINDS.find(process.kind)
            is_family = kind is not None and kind.family
            family = [handle, *handle.children(recursive=True)] if is_family else [handle]
            cpu_s = rss_bytes = 0.0
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    cpu_s += cpu_time_s(member)
                    rss_bytes += member.memory_info().rss
            ended = handle.cpu_times() if is_family else None
            if ended is not None:
                cpu_s += ended.children_user + ended.children_system
            return {"cpu_s": round(cpu_s, 6), "rss_bytes": rss_bytes}
        except psutil.Error:
            return None


def cpu_time_s(process: psutil.Process) -> float:
    """CPU seconds that a process has used so far, in all its threads. Raises psutil.NoSuchProcess.

    psutil reads hundredths of a second, and a server uses about eight of them in a run of smoke size. Linux has a clock
    for each process, in nanoseconds. The number of the clock is what clock_getcpuclockid(3) returns, which Python lacks.
    """
    if sys.platform == "linux":
        try:
            return time.clock_gettime((~process.pid << 3) | 2)
        except OSError:
            raise psutil.NoSuchProcess(process.pid) from None
    times = process.cpu_times()
    return float(times.user + times.system)
