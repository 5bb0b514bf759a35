"""The limits of this machine. They are read before a run; the limit of open files is raised as far as the system
allows."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.model.machine_limits import MachineLimits

CGROUPS = Path("/sys/fs/cgroup")
DESCRIPTORS_AT_LEAST = 256
"""Open files that the harness needs for itself: the calibration opens 128 sockets; pipes, row files and connections to
the database are fewer than the other 128."""
_DEFAULT_PORTS = (49_152, 65_535)
"""IANA's range for outgoing connections, if the system has no other."""


def read_limits(results: Path) -> MachineLimits:
    """The present limits; ``results`` is the folder of recordings (it need not exist yet)."""
    folder = next(parent for parent in (results.absolute(), *results.absolute().parents) if os.path.exists(parent))
    low, high = _port_range()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    group = group_limits(CGROUPS, _first_line("/proc/self/cgroup"))
    return MachineLimits(
        cores=max(1, min(cores, int(group.cores or cores))),
        memory_available_bytes=min(psutil.virtual_memory().available, group.memory_available_bytes or sys.maxsize),
        nofile_hard=_nofile_hard(),
        ephemeral_ports=high - low + 1,
        somaxconn=int(_first_line("/proc/sys/net/core/somaxconn") or 128),
        disk_free_bytes=shutil.disk_usage(folder).free,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimits:
    """The limit that the control groups of this process set; None if they set none."""

    cores: float | None = None
    memory_available_bytes: int | None = None


def group_limits(root: Path, membership: str) -> GroupLimits:
    """The tightest limits on the way from this process's group up to ``root``.

    ``membership`` is the line of proc/self/cgroup, ``0::/path`` for version 2 (Linux, Control Group v2). A container's
    limits are only there: /proc/meminfo and the CPU count are the whole machine's.
    """
    version, _, path = membership.partition("::")
    if version != "0":
        return GroupLimits()
    group = root / path.lstrip("/")
    cores: list[float] = []
    memory: list[int] = []
    for folder in (group, *group.parents):
        quota = _first_line(folder / "cpu.max").split()
        if len(quota) == 2 and quota[0] != "max":
            cores.append(int(quota[0]) / int(quota[1]))
        most, used = _first_line(folder / "memory.max"), _first_line(folder / "memory.current")
        if most.isdigit() and used.isdigit():
            memory.append(max(0, int(most) - int(used)))
        if folder == root:
            break
    return GroupLimits(cores=min(cores, default=None), memory_available_bytes=min(memory, default=None))


def too_few_descriptors() -> list[str]:
    """Reasons why the harness cannot run on this machine at all; --force does not override them."""
    hard = _nofile_hard()
    if hard >= DESCRIPTORS_AT_LEAST:
        return []
    return [
        f"descriptors: expected a hard limit of at least {DESCRIPTORS_AT_LEAST} open files in one process, found "
        f"{hard}; raise it (ulimit -Hn, LimitNOFILE=, docker run --ulimit nofile=…)"
    ]


def raise_descriptor_limit() -> None:
    """Raise the limit of open files for this process, and for the children it starts from now on, as far as the system
    allows."""
    try:
        import resource
    except ImportError:  # no such limits on this system
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _nofile_hard() -> int:
    try:
        import resource
    except ImportError:
        return 8_192
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 10**9 if hard == resource.RLIM_INFINITY else hard


def _port_range() -> tuple[int, int]:
    numbers = _first_line("/proc/sys/net/ipv4/ip_local_port_range").split()
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else _DEFAULT_PORTS


def _first_line(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return ""
