"""Relays of the embedded environment: one child process for each link that a fault is to break."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from harness.environments.embedded.child import Child
from harness.environments.embedded.link_relay import HOST
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.environments.ports import free_ports
from harness.environments.readiness import until_answered
from harness.environments.together import together
from harness.model.child_process import python_program
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import last_lines

MODULE = "harness.environments.embedded.link_relay"
START_TIMEOUT_S = 10.0
START_ATTEMPTS = 3
Place = tuple[str, int]
"""host and port"""


async def start_relays(
    links: Iterable[tuple[str, int, Place]], *, logs: Path, guard: Guard, down: AsyncExitStack
) -> dict[str, tuple[Place, Part[Child]]]:
    """A relay for each link, given by its name, a free port and the place that it leads to. By name: where the relay takes
    connections, and its process. Raises EnvironmentFailure."""

    async def start(name: str, port: int, beyond: Place) -> tuple[str, tuple[Place, Part[Child]]]:
        for attempt in range(1, START_ATTEMPTS + 1):
            program = python_program(MODULE, str(port), beyond[0], str(beyond[1]))
            child = Child(name, Role.HARNESS, "relay", program, log=logs / f"{name}.log", guard=guard)
            down.push_async_callback(child.end)
            until_ready = partial(_until_open, child, port)
            try:
                await until_ready()
            except EnvironmentFailure as error:
                if attempt == START_ATTEMPTS or "in use" not in str(error):
                    raise
                (port,) = free_ports(1)  # another program took the port between the look and the start
                continue
            return name, ((HOST, port), Part(process=child, until_ready=until_ready))
        raise AssertionError("the last attempt returns or raises")

    return dict(await together(*(start(*link) for link in links)))


async def _until_open(child: Child, port: int) -> None:
    async def refusal() -> str | None:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError as error:
            return str(error)
        writer.close()
        return None

    async def last_words() -> str:
        return last_lines(child.log)

    await until_answered(child.name, refusal, casualty=child.casualty, limit_s=START_TIMEOUT_S, last_words=last_words)
