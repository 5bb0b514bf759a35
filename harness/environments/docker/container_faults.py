"""Fault injection into containers, by the Docker engine: stop, kill, pause, partition, and how each is healed."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from harness.environments.docker.container import Container, how_it_ended
from harness.environments.part import Part
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind

STOP_TIMEOUT_S = 10
END_LIMIT_S = 10.0


async def inject(part: Part[Container], kind: FaultKind) -> Mapping[str, Any]:
    """Inject the fault and return when it is done, with what the engine reports of it. Raises EnvironmentFailure."""
    container = part.process
    handle, call = container.handle, container.engine.call
    if kind is FaultKind.PAUSE:
        await call(handle.pause)
        return {"at_ns": time.monotonic_ns()}
    if kind is FaultKind.PARTITION:
        await call(container.network.handle.disconnect, handle)
        return {"at_ns": time.monotonic_ns(), "address": container.network.addresses[container.name]}
    container.asked_to_end = True
    if kind is FaultKind.KILL:
        await call(handle.kill)
    else:
        await call(handle.stop, timeout=STOP_TIMEOUT_S)
    return await _ending(container)


async def heal(part: Part[Container], kind: FaultKind) -> Mapping[str, Any]:
    """Unpause, connect or start the container again, and return when it answers. Raises EnvironmentFailure."""
    container = part.process
    call = container.engine.call
    if kind is FaultKind.PAUSE:
        await call(container.handle.unpause)
    elif kind is FaultKind.PARTITION:
        network = container.network
        await call(
            network.handle.connect,
            container.handle,
            ipv4_address=network.addresses[container.name],
            aliases=[container.name],
        )
    else:
        await container.start()
    started_ns = time.monotonic_ns()
    await part.until_ready()
    state = await container.look()
    return {"at_ns": time.monotonic_ns(), "started_ns": started_ns, "started_at": state["StartedAt"]}


async def _ending(container: Container) -> Mapping[str, Any]:
    """How it ended. A kill is answered before the process is gone."""
    deadline_s = time.monotonic() + END_LIMIT_S
    while (state := await container.look())["Running"]:
        if time.monotonic() > deadline_s:
            raise EnvironmentFailure(f"{container.name} still runs {END_LIMIT_S:g} s after it was to end")
        await asyncio.sleep(0.01)
    return {
        "at_ns": time.monotonic_ns(),
        "ended": how_it_ended(state),
        "exit_code": state["ExitCode"],
        "oom_killed": state["OOMKilled"],
        "finished_at": state["FinishedAt"],
    }
