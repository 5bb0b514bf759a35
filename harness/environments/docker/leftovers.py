"""Removes containers, their volumes and networks: those of a run at its end, and those that dead runs left. Only
objects with our labels are touched."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.environments.docker.docker_engine import QUICK_S, Absent, Engine, EngineFailure, connect
from harness.environments.docker.owner import LOGS, OWNER, PART, RUN, Owner, is_dead, owner_of
from harness.model.errors import EnvironmentFailure

REMOVE_LIMIT_S = 60.0
NETWORK_LIMIT_S = 10.0


@dataclass(slots=True, kw_only=True)
class Belongings:
    """What one owner has in the engine."""

    containers: list[Any] = field(default_factory=list)
    networks: list[Any] = field(default_factory=list)

    @property
    def labels(self) -> Mapping[str, str]:
        return labels_of((*self.containers, *self.networks)[0])

    def __str__(self) -> str:
        return f"{len(self.containers)} containers and {len(self.networks)} networks of run {self.labels.get(RUN, '?')}"


def labels_of(thing: Any) -> Mapping[str, str]:
    """A listed container's labels, or a network's."""
    return thing.attrs.get("Labels") or {}


async def belongings(engine: Engine, *, owner: Owner | None = None) -> dict[str, Belongings]:
    """The labelled objects, by the owner's label; of all owners if no ``owner`` is given. Raises EngineFailure."""
    filters = {"label": f"{OWNER}={owner.label}" if owner else OWNER}
    found: dict[str, Belongings] = defaultdict(Belongings)
    for thing in await engine.call(engine.sdk.containers.list, all=True, sparse=True, filters=filters):
        found[labels_of(thing)[OWNER]].containers.append(thing)
    for thing in await engine.call(engine.sdk.networks.list, filters=filters):
        found[labels_of(thing)[OWNER]].networks.append(thing)
    return dict(found)


async def remove_run(engine: Engine, owner: Owner, run_id: str) -> list[str]:
    """Remove everything that ``owner`` made for this run, keeping its logs. Returns the failures, as sentences. Bounded
    in time. Raises only when it is cancelled; `remove_dead_runs` then removes the rest.
    """
    try:
        async with asyncio.timeout(REMOVE_LIMIT_S):
            everything = (await belongings(engine, owner=owner)).get(owner.label, Belongings())
            return await _remove(
                engine,
                Belongings(
                    containers=[each for each in everything.containers if labels_of(each).get(RUN) == run_id],
                    networks=[each for each in everything.networks if labels_of(each).get(RUN) == run_id],
                ),
            )
    except (EnvironmentFailure, TimeoutError) as error:
        reason = str(error) or f"not done within {REMOVE_LIMIT_S:g} s"
        return [
            f"the parts of run {run_id} were not removed: {reason}; run `harness down` when the engine answers again"
        ]


async def remove_dead_runs(engine: Engine) -> list[str]:
    """Remove the objects of runs whose process has ended. Returns a sentence for each. Raises EngineFailure."""
    here = Owner.of_this_process()
    said = []
    for found in (await belongings(engine)).values():
        owner = owner_of(found.labels)
        running = any(container.attrs.get("State") in ("running", "paused") for container in found.containers)
        if owner is not None and is_dead(owner, here, anything_runs=running):
            said.append(f"removed {found}, left behind by a dead run")
            said += await _remove(engine, found)
    return said


def remove_leftovers() -> list[str]:
    """`remove_dead_runs`, or nothing if no engine answers."""
    try:
        engine = connect(timeout_s=QUICK_S)
    except EnvironmentFailure:
        return []
    with engine:
        try:
            return asyncio.run(remove_dead_runs(engine))
        except EnvironmentFailure as error:
            return [f"the remaining parts of dead runs in the Docker engine were not removed: {error}"]


async def _remove(engine: Engine, found: Belongings) -> list[str]:
    said = await asyncio.gather(*(_remove_container(engine, container) for container in found.containers))
    said += await asyncio.gather(*(_remove_network(engine, network) for network in found.networks))
    return [sentence for sentence in said if sentence]


async def _remove_container(engine: Engine, container: Any) -> str:
    # Its last words are part of its log, and its data need no slow shutdown.
    with contextlib.suppress(EngineFailure):
        await engine.call(container.kill)
    problem = ""
    labels = labels_of(container)
    if LOGS in labels and PART in labels:
        try:
            await engine.call(_keep_log, container, Path(labels[LOGS]) / f"{Path(labels[PART]).name}.log")
        except EngineFailure as error:
            problem = f"the log of {labels[PART]} was not kept: {error}"
    try:
        await engine.call(container.remove, force=True, v=True)
    except Absent:
        pass
    except EngineFailure as error:
        name = container.attrs["Names"][0].lstrip("/")
        problem = f"container {name} was not removed: {error}; remove it with `docker rm -fv {name}`"
    return problem


async def _remove_network(engine: Engine, network: Any) -> str:
    deadline_s = time.monotonic() + NETWORK_LIMIT_S
    while True:
        try:
            await engine.call(network.remove)
        except Absent:
            pass
        except EngineFailure as error:
            # Right after its containers were removed it may still count them.
            if time.monotonic() < deadline_s:
                await asyncio.sleep(0.2)
                continue
            return f"network {network.name} was not removed: {error}; remove it with `docker network rm {network.name}`"
        return ""


def _keep_log(container: Any, path: Path) -> None:
    """Write its log, from its first start on, if the run's folder still exists."""
    if path.parent.is_dir():
        with path.open("wb") as file:
            for chunk in container.logs(stream=True, follow=False):
                try:
                    file.write(chunk)
                except OSError as error:
                    raise EngineFailure(f"{path}: {error.strerror}") from error
