"""The docker environment: PostgreSQL, Redis and the reference servers as containers in a network of their own, labelled
with the run and gone with it."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.environments.docker import container_faults as docker_faults
from harness.environments.docker.container import Container, create_container
from harness.environments.docker.container_faults import Part
from harness.environments.docker.engine import Engine, EngineFailure, connect
from harness.environments.docker.image import image_id, pulled, server_image
from harness.environments.docker.leftovers import remove_dead_runs, remove_run
from harness.environments.docker.network import RunNetwork, create_network
from harness.environments.docker.owner import Owner, labels
from harness.environments.docker.recipe import (
    POSTGRES_IMAGE,
    REDIS_IMAGE,
    Recipe,
    Secrets,
    postgres_recipe,
    redis_recipe,
    server_recipe,
)
from harness.environments.docker.watch import ContainerWatch
from harness.environments.ports import free_ports
from harness.environments.readiness import NotReady, postgres_refusal, redis_refusal, server_refusal, until_answered
from harness.environments.together import together
from harness.model.cluster import BrokerAddress, ClusterProcess, DatabaseAddress, ServerAddress, Topology
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from harness.protocol import open_protocol

READY_LIMIT_S = 60.0
START_ATTEMPTS = 3
CLOCK_PROGRAM = ("python", "-c", "import time; print(time.monotonic_ns())")


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerCluster:
    """A running cluster of containers (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str = field(repr=False)
    database: DatabaseAddress
    broker: BrokerAddress | None
    parts: Mapping[str, Part]
    """by name: ``postgres``, ``redis``, ``server-1`` …"""
    versions: dict[str, str]
    watch: ContainerWatch

    @property
    def processes(self) -> Sequence[ClusterProcess]:
        return [process for part in self.parts.values() if (process := part.container.process)]

    def casualties(self) -> Sequence[str]:
        return self.watch.casualties()

    async def inject(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        return await docker_faults.inject(self.parts[part], kind)

    async def heal(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        return await docker_faults.heal(self.parts[part], kind)


@asynccontextmanager
async def docker_cluster(
    topology: Topology, *, logs: Path, say: Callable[[str], None], publish: bool | None = None
) -> AsyncIterator[DockerCluster]:
    """Start the cluster, hand it out, take it down. Raises EnvironmentFailure where a part cannot start.

    ``publish``: reach the containers at published loopback ports (True) or at their own addresses (False); None decides
    by whether this machine has the network's bridge.
    """
    logs.mkdir(parents=True, exist_ok=True)
    owner = Owner.of_this_process()
    async with AsyncExitStack() as down:
        engine = down.enter_context(await asyncio.to_thread(connect))
        for sentence in await remove_dead_runs(engine):
            say(sentence)
        image, *_ = await together(
            server_image(engine, say),
            pulled(engine, POSTGRES_IMAGE, say),
            *([pulled(engine, REDIS_IMAGE, say)] if topology.backplane == "redis" else []),
        )
        down.push_async_callback(_take_down, engine, owner, topology.run_id, say)
        watch = await down.enter_async_context(ContainerWatch(engine, owner))
        start = await _Start.prepare(engine, owner, topology, logs, image, watch, publish)
        stores = await start.stores()
        servers = await start.servers(topology.servers)
        yield DockerCluster(
            servers=tuple(_server_address(part.container) for part in servers),
            token=start.secrets.token,
            database=start.database(stores[0].container),
            broker=start.broker(stores[1].container) if len(stores) > 1 else None,
            parts={part.container.name: part for part in (*stores, *servers)},
            versions=await start.versions(servers[0].container),
            watch=watch,
        )


async def _take_down(engine: Engine, owner: Owner, run_id: str, say: Callable[[str], None]) -> None:
    """Remove everything of this run. An impatient second Ctrl-C does not cut it short: it is bounded by itself."""
    removal = asyncio.ensure_future(remove_run(engine, owner, run_id))
    cancelled = False
    while not removal.done():
        try:
            await asyncio.wait({removal})
        except asyncio.CancelledError:
            cancelled = True
    for sentence in removal.result():
        say(sentence)
    if cancelled:
        raise asyncio.CancelledError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """The start of one cluster: what all its parts have in common."""

    engine: Engine
    network: RunNetwork
    topology: Topology
    labels: Mapping[str, str]
    secrets: Secrets
    image: str
    watch: ContainerWatch
    publish: bool

    @classmethod
    async def prepare(
        cls,
        engine: Engine,
        owner: Owner,
        topology: Topology,
        logs: Path,
        image: str,
        watch: ContainerWatch,
        publish: bool | None,
    ) -> "_Start":
        names = ("database", "broker", *(f"server-{number}" for number in range(1, topology.servers + 1)))
        marks = labels(run_id=topology.run_id, owner=owner, logs=logs)
        # Several playgrounds have one run's name.
        network = await create_network(engine, f"harness-{topology.run_id}-{os.getpid()}", marks, names)
        return cls(
            engine=engine,
            network=network,
            topology=topology,
            labels=marks,
            secrets=Secrets(**{name: secrets.token_urlsafe(24) for name in ("token", "database", "broker")}),
            image=image,
            watch=watch,
            publish=not network.reachable if publish is None else publish,
        )

    async def stores(self) -> list[Part]:
        """PostgreSQL and, where the backplane needs it, Redis, side by side."""
        starts = [self._start(postgres_recipe(self.secrets), lambda it: postgres_refusal(self.database(it)))]
        if self.topology.backplane == "redis":
            starts.append(self._start(redis_recipe(self.secrets), lambda it: redis_refusal(self.broker(it))))
        return await together(*starts)

    async def servers(self, count: int) -> list[Part]:
        """All servers side by side; ready when each says so."""
        protocol = open_protocol(self.topology.protocol)
        hosts = {name: self.network.addresses[name] for name in ("database", "broker")}
        if self.topology.backplane != "redis":
            del hosts["broker"]
        return await together(
            *(
                self._start(
                    server_recipe(f"server-{number}", self.image, self.topology, self.secrets, hosts),
                    lambda it: server_refusal(_server_address(it), self.secrets.token, protocol, protocol.readiness()),
                    # Healthy, not ready: what it depends on may be away on purpose.
                    again=lambda it: server_refusal(
                        _server_address(it), self.secrets.token, protocol, protocol.health()
                    ),
                )
                for number in range(1, count + 1)
            )
        )

    async def _start(
        self,
        recipe: Recipe,
        question: Callable[[Container], Awaitable[str | None]],
        again: Callable[[Container], Awaitable[str | None]] | None = None,
    ) -> Part:
        container = await self._run(recipe)
        await _until(container, question)
        return Part(container=container, until_ready=partial(_until, container, again or question))

    async def _run(self, recipe: Recipe) -> Container:
        for attempt in range(1, START_ATTEMPTS + 1):
            (port,) = free_ports(1) if self.publish else (None,)
            container = await create_container(self.engine, recipe, self.network, self.labels, published=port)
            self.watch.add(container)
            try:
                await container.start()
            except EngineFailure as error:
                taken = "already allocated" in str(error) or "in use" in str(error)
                if not self.publish or not taken or attempt == START_ATTEMPTS:
                    raise
                # Somebody took the port between our look and its start.
                await self.engine.call(container.handle.remove, force=True, v=True)
                continue
            return container
        raise AssertionError("the last attempt returns or raises")

    def database(self, container: Container) -> DatabaseAddress:
        return DatabaseAddress(
            host=container.host,
            port=container.port,
            user="postgres",
            password=self.secrets.database,
            database="postgres",
        )

    def broker(self, container: Container) -> BrokerAddress:
        return BrokerAddress(host=container.host, port=container.port, password=self.secrets.broker)

    async def versions(self, server: Container) -> dict[str, str]:
        images = [self.image, POSTGRES_IMAGE, *([REDIS_IMAGE] if self.topology.backplane == "redis" else [])]
        return {
            "docker": self.engine.version,
            **{image: await image_id(self.engine, image) for image in images},
            "path": "published loopback ports" if self.publish else "container addresses",
            "clock": "shared" if await _shares_clock(server) else "separate",
        }


async def _shares_clock(container: Container) -> bool:
    """Whether times of the container can be compared with ours: its clock read between two readings of this one's."""

    def read() -> tuple[int, int, int]:
        before_ns = time.monotonic_ns()
        _, output = container.handle.exec_run(list(CLOCK_PROGRAM))
        return before_ns, int(output), time.monotonic_ns()

    before_ns, theirs_ns, after_ns = await container.engine.call(read)
    return before_ns <= theirs_ns <= after_ns


async def _until(container: Container, question: Callable[[Container], Awaitable[str | None]]) -> None:
    """Return when it answers. Raises EnvironmentFailure with what it said last where it does not."""
    try:
        await until_answered(
            container.name, lambda: question(container), casualty=lambda: container.casualty, limit_s=READY_LIMIT_S
        )
    except NotReady as error:
        where = f"at {container.host}:{container.port}"
        raise EnvironmentFailure(f"{error} ({where}); {await container.engine.call(container.last_words)}") from error


def _server_address(container: Container) -> ServerAddress:
    return ServerAddress(name=container.name, host=container.host, port=container.port)
