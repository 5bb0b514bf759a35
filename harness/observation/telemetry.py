"""One sample per second of the machine, every process, Redis and PostgreSQL, as telemetry.jsonl (docs/recording.md)."""

import asyncio
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import asyncpg
import msgspec
import psutil
import redis.asyncio

from harness.model.cluster import BrokerAddress, Cluster, ClusterProcess, DatabaseAddress

INTERVAL_S = 1.0
PART_TIMEOUT_S = 0.8
DISK_PAUSE_S = 0.05
DISK_STALL_S = 0.03
"""A small write that waits longer for the disk is a stall: such a write is done within a few milliseconds."""

_log = logging.getLogger(__name__)


class Telemetry:
    """Samples while it is entered. A part that cannot be read (Redis may be down on purpose) is absent from its sample;
    it neither ends the run nor delays the other parts."""

    def __init__(self, cluster: Cluster, *, processes: Callable[[], Sequence[ClusterProcess]], path: Path) -> None:
        self._machine = _Machine()
        self._disk = _Disk()
        self._processes = _Processes(lambda: [*cluster.processes, *processes()])
        self._redis = _Redis(cluster.broker) if cluster.broker else None
        self._postgres = _Postgres(cluster.database) if cluster.database else None
        self._path = path
        self._task: asyncio.Task[None] | None = None

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
        for part in (self._redis, self._postgres):
            if part is not None:
                with contextlib.suppress(OSError, TimeoutError):
                    await part.close()

    async def _run(self) -> None:
        due_s = time.monotonic()
        with self._path.open("ab") as file:
            while True:
                file.write(msgspec.json.encode(await self._sample()) + b"\n")
                file.flush()
                due_s = max(due_s + INTERVAL_S, time.monotonic())
                await asyncio.sleep(due_s - time.monotonic())

    async def _sample(self) -> dict[str, Any]:
        sample: dict[str, Any] = {"at_ns": time.monotonic_ns()}
        sample["machine"] = self._machine.sample() | self._disk.sample()
        sample["processes"] = self._processes.sample()
        parts = {"broker": self._redis, "database": self._postgres}
        present = {name: part for name, part in parts.items() if part is not None}
        found = await asyncio.gather(*(_within(part.sample) for part in present.values()))
        return sample | {name: values for name, values in zip(present, found, strict=True) if values}


async def _within(sample: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any] | None:
    # called in here: a coroutine made before would stay unawaited where the telemetry ends before its first step
    try:
        async with asyncio.timeout(PART_TIMEOUT_S):
            return await sample()
    except (OSError, TimeoutError, redis.RedisError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _log.debug("not sampled: %s", error)
        return None


class _Machine:
    def sample(self) -> dict[str, Any]:
        times = psutil.cpu_times()
        memory = psutil.virtual_memory()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        steal_s = getattr(times, "steal", 0.0)
        # guest time is part of user time already
        total_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return {
            "busy_s": total_s - idle_s - steal_s,
            "steal_s": steal_s,
            "memory_used_bytes": memory.total - memory.available,
            "memory_available_bytes": memory.available,
            **_tcp_counters(),
        }


def _tcp_counters() -> dict[str, int]:
    """Segments sent again and connections refused by a full queue, from proc_net(5); empty on other systems."""
    found: dict[str, int] = {}
    for path, group, field, name in (
        ("/proc/net/snmp", "Tcp:", "RetransSegs", "retransmits"),
        ("/proc/net/netstat", "TcpExt:", "ListenOverflows", "listen_overflows"),
    ):
        try:
            lines = [line.split() for line in Path(path).read_text().splitlines() if line.startswith(group)]
            found[name] = int(lines[1][lines[0].index(field)])
        except (OSError, ValueError, IndexError):
            continue
    return found


class _Disk(Thread):
    """Writes a page and waits until the disk has it, 20 times a second, where the embedded database has its data.

    What every commit waits for too, so it tells a disk that stood still from a database that was slow.
    """

    def __init__(self) -> None:
        super().__init__(name="disk probe", daemon=True)
        self._over = Event()
        self._works = False
        self._stalled_s = 0.0

    def run(self) -> None:
        try:
            with tempfile.TemporaryFile() as file:
                while not self._over.wait(DISK_PAUSE_S):
                    begun_s = time.monotonic()
                    os.pwrite(file.fileno(), bytes(4096), 0)
                    os.fsync(file.fileno())
                    took_s = time.monotonic() - begun_s
                    self._works = True
                    self._stalled_s += took_s if took_s >= DISK_STALL_S else 0.0
        except OSError as error:
            self._works = False
            _log.debug("the disk is not probed any longer: %s", error)

    def sample(self) -> dict[str, float]:
        return {"disk_stalled_s": round(self._stalled_s, 4)} if self._works else {}

    def end(self) -> None:
        """Returns at once: a disk that stands still is not waited for."""
        self._over.set()


class _Processes:
    def __init__(self, processes: Callable[[], Sequence[ClusterProcess]]) -> None:
        self._processes = processes
        self._handles: dict[int, psutil.Process] = {}
        self._itself = ClusterProcess(name="harness", role="harness", pid=psutil.Process().pid)

    def sample(self) -> dict[str, Any]:
        return {
            process.name: values
            for process in (*self._processes(), self._itself)
            if (values := self._one(process)) is not None
        }

    def _one(self, process: ClusterProcess) -> dict[str, float] | None:
        try:
            handle = self._handles.get(process.pid)
            if handle is None:
                handle = self._handles[process.pid] = psutil.Process(process.pid)
            # PostgreSQL is a process per connection; its own clock also counts children that have ended.
            family = [handle, *handle.children(recursive=True)] if process.role == "database" else [handle]
            cpu_s = rss_bytes = 0.0
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = member.cpu_times()
                    cpu_s += times.user + times.system
                    rss_bytes += member.memory_info().rss
            ended = handle.cpu_times() if process.role == "database" else None
            if ended is not None:
                cpu_s += ended.children_user + ended.children_system
            return {"cpu_s": round(cpu_s, 3), "rss_bytes": rss_bytes}
        except psutil.Error:
            return None


class _Redis:
    def __init__(self, address: BrokerAddress) -> None:
        self._client = redis.asyncio.Redis(
            host=address.host,
            port=address.port,
            password=address.password,
            socket_timeout=PART_TIMEOUT_S,
            socket_connect_timeout=PART_TIMEOUT_S,
        )

    async def sample(self) -> dict[str, Any]:
        info, subscribers = await asyncio.gather(self._client.info(), self._client.client_list(_type="pubsub"))
        return {
            "cpu_s": info["used_cpu_sys"] + info["used_cpu_user"],
            "net_in_bytes": info["total_net_input_bytes"],
            "net_out_bytes": info["total_net_output_bytes"],
            "commands": info["total_commands_processed"],
            "clients": info["connected_clients"],
            "pubsub_channels": info.get("pubsub_channels", 0),
            "subscriptions": sum(int(client["sub"]) for client in subscribers),
            "subscriber_output_bytes": sum(int(client["omem"]) for client in subscribers),
            "output_buffer_bytes": info.get("mem_clients_normal", 0),
            "memory_bytes": info["used_memory"],
        }

    async def close(self) -> None:
        await self._client.aclose()


class _Postgres:
    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._connection: asyncpg.Connection | None = None

    async def sample(self) -> dict[str, Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._address.arguments,
                timeout=PART_TIMEOUT_S,
                server_settings={"application_name": "harness telemetry"},
            )
        # PostgreSQL 18 counts syncs of its log with all other input and output; before, they had a column of their own.
        recent = self._connection.get_server_version().major >= 18
        syncs = "(SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal')" if recent else "wal_sync"
        row = await self._connection.fetchrow(
            f"""
            SELECT xact_commit AS commits, xact_rollback AS rollbacks, tup_inserted AS rows_inserted,
                   numbackends AS backends, wal_bytes::bigint AS wal_bytes, {syncs} AS wal_syncs
            FROM pg_stat_database, pg_stat_wal WHERE datname = current_database()
            """  # noqa: S608 - one of the two constants above
        )
        return {name: value for name, value in row.items() if value is not None}

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
