"""The arguments of a starter of the embedded environment: a folder, a log, a guard, and a way to find a free port.

A starter is a coroutine function ``(Start) -> Part[Child]``. It starts one database or broker on loopback, waits until
it answers, and raises EnvironmentFailure with the reason and the end of the log if it does not.
"""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.environments.embedded.child import Child
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.environments.ports import free_ports
from harness.environments.readiness import component_refusal, until_answered
from harness.model.cluster import Endpoint, Topology
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import last_lines

PORT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """``topology`` is the cluster that is started, ``folder`` its temporary folder. ``name`` and ``log`` (a file) are
    the component's own."""

    topology: Topology

    name: str
    folder: Path
    log: Path
    guard: Guard
    password: str


async def on_free_port(
    start: Start,
    make: Callable[[int], tuple[Child, Endpoint]],
    *,
    port_taken: str,
    limit_s: float,
    abort_signal: int = signal.SIGTERM,
) -> Part[Child]:
    """Start ``make(port)`` on a free port and wait until it answers; again with another port if its log holds
    ``port_taken``: another program took the port before the start."""
    for _ in range(PORT_ATTEMPTS):
        (port,) = free_ports(1)
        child, endpoint = make(port)
        until_ready = partial(until_component_answers, child, endpoint, limit_s)
        try:
            await until_ready()
        except BaseException as error:
            await child.end(abort_signal)
            if isinstance(error, EnvironmentFailure) and port_taken in start.log.read_text(
                encoding="utf-8", errors="replace"
            ):
                continue
            raise
        return Part(process=child, endpoint=endpoint, until_ready=until_ready)
    raise EnvironmentFailure(
        f"{start.name} found its port taken {PORT_ATTEMPTS} times; {await asyncio.to_thread(last_lines, start.log)}"
    )


async def until_component_answers(child: Child, endpoint: Endpoint, limit_s: float) -> None:
    """Return when a connection really works."""

    async def last_words() -> str:
        return last_lines(child.log)

    await until_answered(
        child.name,
        lambda: component_refusal(endpoint),
        casualty=child.casualty,
        limit_s=limit_s,
        last_words=last_words,
    )
