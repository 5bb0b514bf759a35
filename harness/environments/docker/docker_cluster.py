"""The docker environment: database, broker and the reference servers as containers in a separate network, labelled with
the run and removed with it."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.environments.docker import container_faults
from harness.environments.docker.container import Container, create_container
from harness.environments.docker.container_events import ContainerWatch
from harness.environments.docker.docker_engine import Engine, EngineFailure, connect
from harness.environments.docker.image import image_id, image_of, pulled
from harness.environments.docker.leftovers import remove_dead_runs, remove_run
from harness.environments.docker.network import RunNetwork, create_network
from harness.environments.docker.owner import Owner, labels
from harness.environments.docker.recipe import Recipe, Secrets, server_recipe
from harness.environments.part import Part
from harness.environments.ports import free_ports
from harness.environments.readiness import Question, component_refusal, server_refusal, until_answered
from harness.environments.sessions import Sessions
from harness.environments.together import together
from harness.model.backplane import BACKPLANES
from harness.model.cluster import Endpoint, ServerAddress, Topology
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND, Component, Role
from harness.model.fault import FaultKind
from harness.model.registry import load
from harness.protocol import open_protocol

NAME = "docker"
READY_LIMIT_S = 60.0
START_ATTEMPTS = 3
CLOCK_PROGRAM = ("python", "-c", "import time; print(time.monotonic_ns())")


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerCluster:
    """A running cluster of containers (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str = field(repr=False)
    database: Endpoint
    broker: Endpoint | None
    parts: Mapping[str, Part[Container]]
    """by name: ``database``, ``broker``, ``server-1`` …"""
    sessions: Sessions
    versions: dict[str, str]
    watch: ContainerWatch

    @property
    def components(self) -> Sequence[Component]:
        return [component for part in self.parts.values() if (component := part.process.component)]

    def casualties(self) -> Sequence[str]:
        return self.watch.casualties()

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        if self.sessions.can(kind, component):
            return await self.sessions.inject(kind, component)
        return await container_faults.inject(self.parts[component], kind)

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        if self.sessions.can(kind, component):
            return await self.sessions.heal(kind, component)
        return await container_faults.heal(self.parts[component], kind)


def open_docker(
    topology: Topology, *, logs: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[DockerCluster]:
    return docker_cluster(topology, logs=logs, say=say)


@asynccontextmanager
async def docker_cluster(
    topology: Topology, *, logs: Path, say: Callable[[str], None], publish: bool | None = None
) -> AsyncIterator[DockerCluster]:
    """Start the cluster, yield it, and remove it at the end. Raises EnvironmentFailure if a part cannot start.

    ``publish``: reach the containers at published loopback ports (True) or at their own addresses (False); None decides
    by whether this machine has the network's bridge.
    """
    logs.mkdir(parents=True, exist_ok=True)
    owner = Owner.of_this_process()
    async with AsyncExitStack() as down:
        engine = down.enter_context(await asyncio.to_thread(connect))
        for sentence in await remove_dead_runs(engine):
            say(sentence)
        secrets_ = Secrets(**{name: secrets.token_urlsafe(24) for name in ("token", "database", "broker")})
        recipes = _store_recipes(topology, secrets_)
        image, *_ = await together(
            image_of(topology, engine, say), *(pulled(engine, recipe.image, say) for recipe in recipes.values())
        )
        down.push_async_callback(_take_down, engine, owner, topology.run_id, say)
        watch = await down.enter_async_context(ContainerWatch(engine, owner))
        start = await _Start.prepare(engine, owner, topology, logs, image, watch, publish, secrets_, recipes)
        stores = await start.stores()
        database = stores[Role.DATABASE].endpoint
        assert database is not None, "every store has an endpoint"
        servers = await start.servers(topology.servers)
        sessions = Sessions(database, topology.backplane)
        down.push_async_callback(sessions.close)
        yield DockerCluster(
            servers=tuple(_server_address(part.process) for part in servers),
            token=start.secrets.token,
            database=database,
            broker=stores[Role.BROKER].endpoint if Role.BROKER in stores else None,
            parts={part.process.name: part for part in (*stores.values(), *servers)},
            sessions=sessions,
            versions=await start.versions(servers[0].process),
            watch=watch,
        )


async def _take_down(engine: Engine, owner: Owner, run_id: str, say: Callable[[str], None]) -> None:
    """Remove everything of this run. A second Ctrl-C does not stop the removal, which has its own time limit."""
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
    """The start of one cluster: the state that all its parts share."""

    engine: Engine
    network: RunNetwork
    topology: Topology
    labels: Mapping[str, str]
    secrets: Secrets
    recipes: Mapping[Role, Recipe]
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
        secrets_: Secrets,
        recipes: Mapping[Role, Recipe],
    ) -> "_Start":
        names = (*map(str, recipes), *(f"server-{number}" for number in range(1, topology.servers + 1)))
        marks = labels(run_id=topology.run_id, owner=owner, logs=logs)
        # Several playgrounds have one run's name.
        network = await create_network(engine, f"harness-{topology.run_id}-{os.getpid()}", marks, names)
        return cls(
            engine=engine,
            network=network,
            topology=topology,
            labels=marks,
            secrets=secrets_,
            recipes=recipes,
            image=image,
            watch=watch,
            publish=not network.reachable if publish is None else publish,
        )

    async def stores(self) -> dict[Role, Part[Container]]:
        """The database and, where the backplane needs one, the broker, side by side."""

        async def start(role: Role, recipe: Recipe) -> Part[Container]:
            container = await self._run(recipe)
            endpoint = self._endpoint(role, recipe, container)
            until_ready = partial(_until, container, lambda: component_refusal(endpoint))
            await until_ready()
            return Part(process=container, until_ready=until_ready, endpoint=endpoint)

        started = await together(*(start(role, recipe) for role, recipe in self.recipes.items()))
        return dict(zip(self.recipes, started, strict=True))

    async def servers(self, count: int) -> list[Part[Container]]:
        """All servers side by side; each is ready when it says so."""
        protocol = open_protocol(self.topology.protocol)
        hosts = dict(self.network.addresses)

        async def start(number: int) -> Part[Container]:
            name = f"server-{number}"
            container = await self._run(
                server_recipe(name, self.image, self.topology, self.secrets, hosts, self.recipes)
            )
            address, token = _server_address(container), self.secrets.token
            await _until(container, lambda: server_refusal(address, token, protocol, protocol.readiness()))
            # Healthy, not ready: database or broker may be away on purpose.
            until_ready = partial(
                _until, container, lambda: server_refusal(address, token, protocol, protocol.health())
            )
            return Part(process=container, until_ready=until_ready)

        return await together(*(start(number) for number in range(1, count + 1)))

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
                # Another program took the port after the harness had chosen it.
                await self.engine.call(container.handle.remove, force=True, v=True)
                continue
            return container
        raise AssertionError("the last attempt returns or raises")

    def _endpoint(self, role: Role, recipe: Recipe, container: Container) -> Endpoint:
        return Endpoint(
            kind=recipe.kind,
            host=container.host,
            port=container.port,
            user=recipe.user,
            password=self.secrets.of(role),
            database=recipe.database,
            owned=True,
        )

    async def versions(self, server: Container) -> dict[str, str]:
        images = [self.image, *(recipe.image for recipe in self.recipes.values())]
        return {
            "docker": self.engine.version,
            **{image: await image_id(self.engine, image) for image in images},
            "path": "published loopback ports" if self.publish else "container addresses",
            "clock": "shared" if await _shares_clock(server) else "separate",
        }


async def _shares_clock(container: Container) -> bool:
    """Whether times of the container can be compared with those of the harness: its clock is read between two readings
    of the harness's clock."""

    def read() -> tuple[int, int, int]:
        before_ns = time.monotonic_ns()
        _, output = container.handle.exec_run(list(CLOCK_PROGRAM))
        return before_ns, int(output), time.monotonic_ns()

    before_ns, theirs_ns, after_ns = await container.engine.call(read)
    return before_ns <= theirs_ns <= after_ns


async def _until(container: Container, question: Question) -> None:
    """Return when it answers. Raises EnvironmentFailure with the last answer or error if it does not."""

    async def last_words() -> str:
        words: str = await container.engine.call(container.last_words)
        return f"asked at {container.host}:{container.port}; {words}"

    await until_answered(
        container.name,
        question,
        casualty=lambda: container.casualty,
        limit_s=READY_LIMIT_S,
        last_words=last_words,
    )


def _store_recipes(topology: Topology, secrets_: Secrets) -> dict[Role, Recipe]:
    """The database's and, where the backplane needs one, the broker's."""
    kinds = {Role.DATABASE: DATABASE_KIND, Role.BROKER: BACKPLANES.get(topology.backplane).broker}
    return {
        role: load(COMPONENT_KINDS.get(kind).starters[NAME])(str(role), secrets_.of(role), topology)
        for role, kind in kinds.items()
        if kind is not None
    }


def _server_address(container: Container) -> ServerAddress:
    return ServerAddress(name=container.name, host=container.host, port=container.port)
