"""The embedded environment: PostgreSQL, a broker and the reference servers as child processes on loopback. Everything
that they write is in one temporary folder that is removed with them."""

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.environments.embedded import child_faults
from harness.environments.embedded.child import Child
from harness.environments.embedded.relay_child import Place, start_relays
from harness.environments.embedded.start import Start
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.environments.ports import free_ports
from harness.environments.readiness import server_refusal, until_answered
from harness.environments.server_settings import Address, server_settings
from harness.environments.sessions import Sessions
from harness.environments.together import together
from harness.model.backplane import BACKPLANES
from harness.model.child_process import python_program
from harness.model.cluster import REFERENCE_SERVER, Endpoint, ServerAddress, Topology
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND, Component, Role
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from harness.model.link import ends
from harness.model.process_end import last_lines
from harness.model.registry import load
from harness.protocol import open_protocol
from harness.protocol.contract import Request

NAME = "embedded"
SERVER_START_TIMEOUT_S = 30.0
START_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedCluster:
    """A running cluster of child processes (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str = field(repr=False)
    database: Endpoint
    broker: Endpoint | None
    parts: Mapping[str, Part[Child]]
    """by name: ``database``, ``broker``, ``server-1`` …, and the relays by the names of their links"""
    sessions: Sessions
    versions: dict[str, str]

    @property
    def components(self) -> Sequence[Component]:
        return [part.process.component for part in self.parts.values()]

    def casualties(self) -> Sequence[str]:
        return [casualty for part in self.parts.values() if (casualty := part.process.casualty())]

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        if self.sessions.can(kind, component):
            return await self.sessions.inject(kind, component)
        return await child_faults.inject(self.parts[component], kind)

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        if self.sessions.can(kind, component):
            return await self.sessions.heal(kind, component)
        return await child_faults.heal(self.parts[component], kind)


def open_embedded(
    topology: Topology, *, logs: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[EmbeddedCluster]:
    return embedded(topology, logs=logs)


@asynccontextmanager
async def embedded(topology: Topology, *, logs: Path) -> AsyncIterator[EmbeddedCluster]:
    """Start the cluster, yield it, and stop it at the end. Raises EnvironmentFailure if a part cannot start."""
    logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as down:
        guard = down.enter_context(Guard())
        # Other users must be able to pass through to PostgreSQL's data folder; secret files below are closed to them.
        folder = Path(tempfile.mkdtemp(prefix="harness-"))
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        guard.watch_folder(folder)
        kinds = {Role.DATABASE: DATABASE_KIND, Role.BROKER: BACKPLANES.get(topology.backplane).broker}
        stores = await together(
            *(
                _start_store(topology, role, kind, folder, logs, guard, down)
                for role, kind in kinds.items()
                if kind is not None
            )
        )
        endpoints = {part.process.role: part.endpoint for part in stores}
        # All at once: none of them is given twice.
        ports = iter(free_ports(2 * topology.servers + len(topology.relayed)))
        links = {f"server-{number}": ("127.0.0.1", next(ports)) for number in range(1, topology.servers + 1)}
        places = {str(role): (endpoint.host, endpoint.port) for role, endpoint in endpoints.items()} | links
        relays = await start_relays(
            [(link, next(ports), places[ends(link)[1]]) for link in topology.relayed],
            logs=logs,
            guard=guard,
            down=down,
        )
        servers = _Servers(
            topology,
            folder,
            logs,
            guard,
            database=endpoints[Role.DATABASE],
            broker=endpoints.get(Role.BROKER),
            ports=list(ports),
            links=links,
            relays={link: place for link, (place, _) in relays.items()},
        )
        down.push_async_callback(servers.end)
        addresses = await servers.start()
        sessions = Sessions(endpoints[Role.DATABASE], topology.backplane)
        down.push_async_callback(sessions.close)
        yield EmbeddedCluster(
            servers=tuple(addresses),
            token=servers.token,
            database=endpoints[Role.DATABASE],
            broker=endpoints.get(Role.BROKER),
            parts={
                part.process.name: part for part in (*stores, *servers.parts, *(part for _, part in relays.values()))
            },
            sessions=sessions,
            versions=_versions(kind for kind in kinds.values() if kind is not None),
        )


async def _start_store(
    topology: Topology, role: Role, kind: str, folder: Path, logs: Path, guard: Guard, down: AsyncExitStack
) -> Part[Child]:
    """Start the database or the broker, and register its end."""
    starter = load(COMPONENT_KINDS.get(kind).starters[NAME])
    part: Part[Child] = await starter(
        Start(
            topology=topology,
            name=str(role),
            folder=folder,
            log=logs / f"{role}.log",
            guard=guard,
            password=secrets.token_urlsafe(24),
        )
    )
    down.push_async_callback(part.process.end, timeout_s=10)
    return part


class _Servers:
    """All servers of the cluster."""

    def __init__(
        self,
        topology: Topology,
        folder: Path,
        logs: Path,
        guard: Guard,
        *,
        database: Endpoint,
        broker: Endpoint | None,
        ports: Sequence[int],
        links: Mapping[str, Place],
        relays: Mapping[str, Place],
    ) -> None:
        """``ports``: where each server answers, ``links``: where each takes links of others, by its name. ``relays``: where
        the relay of a link takes connections, by the link's name."""
        self.token = secrets.token_urlsafe(24)
        self.parts: list[Part[Child]] = []
        self._topology = topology
        self._protocol = open_protocol(topology.protocol)
        self._folder = folder
        self._logs = logs
        self._guard = guard
        self._database = database
        self._broker = broker
        self._children: list[Child] = []
        self._ports = ports
        self._links = links
        self._relays = relays
        # A module of the user's own lies where the user is.
        self._module_folder = None if topology.server_module == REFERENCE_SERVER else Path.cwd()

    async def start(self) -> list[ServerAddress]:
        """Start all servers at the same time; return when each answers the health request."""
        started = await together(*(self._start_one(number, port) for number, port in enumerate(self._ports, 1)))
        self.parts += [part for _, part in started]
        return [address for address, _ in started]

    async def end(self) -> None:
        await asyncio.gather(*(child.end() for child in self._children))

    async def _start_one(self, number: int, port: int) -> tuple[ServerAddress, Part[Child]]:
        name = f"server-{number}"
        for attempt in range(1, START_ATTEMPTS + 1):
            settings = self._settings_file(name, port)
            child = Child(
                name,
                Role.SERVER,
                self._topology.server_module,
                python_program(self._topology.server_module, "--settings", str(settings), folder=self._module_folder),
                log=self._logs / f"{name}.log",
                guard=self._guard,
            )
            self._children.append(child)
            address = ServerAddress(name=name, host="127.0.0.1", port=port)
            try:
                await self._until_answered(child, address, self._protocol.readiness())
            except EnvironmentFailure as error:
                if attempt == START_ATTEMPTS or "in use" not in str(error):
                    raise
                self._children.remove(child)
                (port,) = free_ports(1)  # another program took the port after the harness had chosen it
                continue
            # Healthy, not ready: database or broker may be away on purpose.
            until_ready = partial(self._until_answered, child, address, self._protocol.health())
            return address, Part(process=child, until_ready=until_ready)
        raise AssertionError("the last attempt returns or raises")

    async def _until_answered(self, child: Child, address: ServerAddress, request: Request) -> None:
        async def last_words() -> str:
            return last_lines(child.log)

        await until_answered(
            child.name,
            lambda: server_refusal(address, self.token, self._protocol, request),
            casualty=child.casualty,
            limit_s=SERVER_START_TIMEOUT_S,
            last_words=last_words,
        )

    def _settings_file(self, name: str, port: int) -> Path:
        path = self._folder / f"{name}.json"
        path.touch(mode=0o600)
        settings = server_settings(
            self._topology,
            name=name,
            host="127.0.0.1",
            port=port,
            token={"token": self.token},
            database=self._database.arguments,
            broker=_login(self._broker),
            links=self._links,
            relays=self._relays,
        )
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path


def _login(endpoint: Endpoint | None) -> Address | None:
    if endpoint is None:
        return None
    login = {"username": endpoint.user, "password": endpoint.password}
    return {"host": endpoint.host, "port": endpoint.port, **{name: value for name, value in login.items() if value}}


def _versions(kinds: Any) -> dict[str, str]:
    """The versions of the packages that hold the programs."""
    found = {}
    for kind in kinds:
        for package in COMPONENT_KINDS.get(kind).packages.values():
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    return found
