"""What this machine allows: read before a run, and raised where a process may raise it itself."""

import os
import shutil
from pathlib import Path

import psutil

from harness.model.machine import MachineLimits

_DEFAULT_PORTS = (49_152, 65_535)
"""IANA's range for outgoing connections, where a system does not say otherwise."""


def read_limits(results: Path) -> MachineLimits:
    """The limits as they stand now; ``results`` is where a recording would go (it need not exist yet)."""
    folder = next(parent for parent in (results.absolute(), *results.absolute().parents) if parent.exists())
    low, high = _port_range()
    return MachineLimits(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_available_bytes=psutil.virtual_memory().available,
        nofile_hard=_nofile_hard(),
        ephemeral_ports=high - low + 1,
        somaxconn=int(_first_line("/proc/sys/net/core/somaxconn") or 128),
        disk_free_bytes=shutil.disk_usage(folder).free,
    )


def raise_descriptor_limit() -> None:
    """Allow this process, and the children it starts from now on, as many open files as the system lets it."""
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


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().splitlines()[0]
    except (OSError, IndexError):
        return ""
