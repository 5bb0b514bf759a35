"""Notices when a container of the run ends, by the events of the Docker engine."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from harness.environments.docker.container import Container
from harness.environments.docker.docker_engine import Engine, EngineFailure
from harness.environments.docker.owner import OWNER, Owner


class ContainerWatch:
    """Watches while it is entered. ``containers`` are added to it before they start."""

    def __init__(self, engine: Engine, owner: Owner) -> None:
        self._engine = engine
        self._owner = owner
        self._containers: dict[str, Container] = {}
        self._stream: Any = None
        self._closing = False
        self._lost: str | None = None

    async def __aenter__(self) -> Self:
        filters = {"label": f"{OWNER}={self._owner.label}", "type": "container", "event": "die"}
        self._stream = await self._engine.call(self._engine.sdk.events, decode=True, filters=filters)
        self._thread = threading.Thread(target=self._run, daemon=True, name="docker-events")
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        try:
            await self._engine.call(self._stream.close)
        except EngineFailure:
            return  # some transports cannot be closed by another thread; this thread ends with the process
        await self._engine.call(self._thread.join, 2.0)

    def add(self, container: Container) -> None:
        self._containers[container.handle.id] = container

    def casualties(self) -> Sequence[str]:
        """See `harness.model.cluster.Cluster.casualties`."""
        found = [each.casualty for each in self._containers.values() if each.casualty]
        return [*found, self._lost] if self._lost else found

    def _run(self) -> None:
        reason = "it ended its stream of events"
        try:
            for event in self._stream:
                if container := self._containers.get(event.get("id", "")):
                    container.saw_end()
        except Exception as error:  # any error ends the thread, and then no end of a container would be noticed
            reason = f"{type(error).__name__}: {error}"
        if not self._closing:
            self._lost = f"the Docker engine is lost: {reason}"
