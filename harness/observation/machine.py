"""machine.json: the machine and the cluster of a run, in enough detail to say whether another run is comparable."""

import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import psutil

from harness import __version__
from harness.components import adapter_of
from harness.model.cluster import Cluster, Endpoint
from harness.observation.limits import read_limits

DISTRIBUTION = "broadcast-harness"


async def describe_machine(cluster: Cluster, folder: Path) -> dict[str, Any]:
    """All known facts about this machine and its programs; a part that cannot be read is absent."""
    return {
        "harness": __version__,
        "source": _source(),
        "python": sys.version.split()[0],
        "packages": {name: found for name in _requirements() if (found := _version(name))},
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "memory_bytes": psutil.virtual_memory().total,
        "virtualisation": _virtualisation(),
        "limits": asdict(read_limits(folder)),
        "load_before": list(os.getloadavg()),
        "time_namespace": _read_link("/proc/self/ns/time"),
        "cluster": {
            "servers": [server.url for server in cluster.servers],
            "versions": cluster.versions,
            "database": await _settings(cluster.database),
            "broker": await _settings(cluster.broker),
        },
    }


def _requirements() -> list[str]:
    """The names of the packages that this program is installed with; empty if it was not installed."""
    try:
        found = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    return sorted({name[0] for line in found if (name := re.match(r"[A-Za-z0-9._-]+", line))})


async def _settings(endpoint: Endpoint | None) -> dict[str, str]:
    return {} if endpoint is None else {"kind": endpoint.kind, **await adapter_of(endpoint.kind).settings(endpoint)}


def _source() -> str:
    """The commit this program was run from, with a mark for local changes; empty if it is not a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        shown = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 - the user's own git
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return shown.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _virtualisation() -> str:
    """The virtualisation of this kernel: a hypervisor's name by the firmware, with ``container`` added inside a
    container; ``none`` if the processor names no hypervisor, empty if it is not known."""
    try:
        flags = next(
            (
                line
                for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
                if line.startswith("flags")
            ),
            "",
        )
    except OSError:
        return ""
    vendor = _first_line("/sys/class/dmi/id/sys_vendor")
    virtual = "hypervisor" in flags.split()
    inside = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    return f"{(vendor or 'hypervisor') if virtual else 'none'}{', container' if inside else ''}"


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
