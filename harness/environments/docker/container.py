"""One container of the cluster: it is made from its recipe, started and inspected."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.environments.docker.docker_engine import Engine, EngineFailure, engine_errors
from harness.environments.docker.network import RunNetwork
from harness.environments.docker.owner import PART
from harness.environments.docker.recipe import Recipe, archive
from harness.model.component import Component
from harness.model.process_end import LOG_LINES, how_container_ended

State = Mapping[str, Any]
"""The engine's `State` of a container: Running, ExitCode, OOMKilled, StartedAt, FinishedAt, Pid …"""


class Container:
    """A container that exists. ``asked_to_end``: its end was requested. ``casualty``: a sentence about any other
    end."""

    def __init__(self, engine: Engine, handle: Any, recipe: Recipe, network: RunNetwork, published: int | None) -> None:
        self.engine = engine
        self.handle = handle
        self.name = recipe.name
        self.role = recipe.role
        self.kind = recipe.kind
        self.network = network
        self.host = "127.0.0.1" if published else network.addresses[recipe.name]
        self.port = published or recipe.port
        self.asked_to_end = False
        self.casualty: str | None = None
        self._known_end = ""
        self._pid: int | None = None

    async def start(self) -> None:
        """Start it, or start it again. Raises EngineFailure."""
        self.asked_to_end = False
        self.casualty = None
        try:
            await self.engine.call(self.handle.start)
        except EngineFailure as error:
            raise EngineFailure(f"{self.name} cannot be started: {error}") from error
        await self.look()

    async def look(self) -> State:
        """The state that the engine reports now. Raises EngineFailure."""
        state = await self.engine.call(self._inspect)
        self._pid = _pid_here(state["Pid"], self.handle.id)
        if self.asked_to_end and not state["Running"]:
            self._known_end = state["FinishedAt"]
        return state

    @property
    def component(self) -> Component | None:
        """Its first process; None while there is none, or if it does not run on this machine's own kernel."""
        if self._pid is None or self.asked_to_end:
            return None
        return Component(name=self.name, role=self.role, kind=self.kind, pid=self._pid)

    def saw_end(self) -> None:
        """The engine reported its end. Blocking; raises nothing."""
        if self.asked_to_end:
            return
        with contextlib.suppress(EngineFailure), engine_errors():
            state = self._inspect()
            # The event of a requested end may arrive after the next start.
            if state["Running"] or state["FinishedAt"] == self._known_end:
                return
            self.casualty = f"{self.name} ended unexpectedly: {how_it_ended(state)}; {self.last_words()}"

    def last_words(self) -> str:
        """The end of its log for an error message, bounded. Blocking. Raises EngineFailure."""
        with engine_errors():
            lines = self.handle.logs(tail=LOG_LINES).decode("utf-8", "replace")[-4_000:].strip().splitlines()
        return "last lines of its log:\n  " + "\n  ".join(lines) if lines else "its log is empty"

    def _inspect(self) -> State:
        state: State = self.engine.sdk.api.inspect_container(self.handle.id)["State"]
        return state


async def create_container(
    engine: Engine, recipe: Recipe, network: RunNetwork, labels: Mapping[str, str], *, published: int | None
) -> Container:
    """Make a container and put its files into it, but do not start it. ``published``: its loopback port, or None.
    Raises EngineFailure.
    """
    handle = await engine.call(
        engine.create_container,
        network=network.name,
        address=network.addresses[recipe.name],
        aliases=(recipe.name,),
        open_files=recipe.open_files,
        name=f"{network.name}-{recipe.name}",
        hostname=recipe.name,
        image=recipe.image,
        command=list(recipe.command) if recipe.command else None,
        environment=dict(recipe.environment),
        labels={**labels, PART: recipe.name},
        # A fixed port: a port that the engine chooses would change with each start.
        ports={f"{recipe.port}/tcp": ("127.0.0.1", published)} if published else None,
        # A health check starts a Python in every server's container every few seconds, on the cores that are measured.
        healthcheck={"test": ["NONE"]},
        # The engine's default may be a log driver that cannot be read.
        log_config={"type": "json-file", "config": {}},
        **recipe.options,
    )
    await engine.call(handle.put_archive, "/", archive(recipe.files))
    return Container(engine, handle, recipe, network, published)


def how_it_ended(state: State) -> str:
    """How the container ended, as a sentence without a subject."""
    words = how_container_ended(int(state["ExitCode"]))
    if state.get("OOMKilled"):
        words += ", out of memory"
    return f"{words}, {state['Error']}" if state.get("Error") else words


def _pid_here(pid: int, container_id: str) -> int | None:
    """``pid`` where it is a process of this kernel and this namespace, as its control group's name proves."""
    try:
        return pid if pid and container_id in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8") else None
    except OSError:
        return None
