"""Faults of a cluster of child processes, by signals: stop, kill, pause, and their undoing."""

import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.environments.embedded.child import Child
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind

STOP_TIMEOUT_S = 10.0
_STOP_SIGNALS = {"database": signal.SIGINT}
"""PostgreSQL's fast shutdown: what `docker stop` asks of its image too. SIGTERM would wait for every client to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A child with what tells that it answers again: a wait that raises EnvironmentFailure when it does not."""

    child: Child
    until_ready: Callable[[], Awaitable[None]]


async def inject(part: Part, kind: FaultKind) -> Mapping[str, Any]:
    """Do it and return when it is done. Raises EnvironmentFailure for a kind that signals cannot do."""
    child = part.child
    if kind in (FaultKind.STOP, FaultKind.RESTART):
        await child.end(_STOP_SIGNALS.get(child.role, signal.SIGTERM), timeout_s=STOP_TIMEOUT_S)
    elif kind is FaultKind.KILL:
        await child.kill_family(STOP_TIMEOUT_S)
    elif kind is FaultKind.PAUSE:
        child.send_family(signal.SIGSTOP)
        return {"at_ns": time.monotonic_ns()}
    else:
        raise EnvironmentFailure(f"the embedded environment cannot {kind} {child.name}: expected stop, kill or pause")
    return {"at_ns": time.monotonic_ns(), "ended": child.ending}


async def heal(part: Part, kind: FaultKind) -> Mapping[str, Any]:
    """Let it go on, or start it again, and return when it answers."""
    if kind is FaultKind.PAUSE:
        part.child.send_family(signal.SIGCONT)
    else:
        part.child.start_again()
    started_ns = time.monotonic_ns()
    await part.until_ready()
    return {"at_ns": time.monotonic_ns(), "started_ns": started_ns}
