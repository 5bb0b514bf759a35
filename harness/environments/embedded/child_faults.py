"""Fault injection into child processes, by signals: stop, kill, pause, and how each is healed."""

import signal
import time
from collections.abc import Mapping
from typing import Any

from harness.environments.embedded.child import Child
from harness.environments.part import Part
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind

STOP_TIMEOUT_S = 10.0


async def inject(part: Part[Child], kind: FaultKind) -> Mapping[str, Any]:
    """Inject the fault and return when it is done. Raises EnvironmentFailure for a fault that signals cannot make."""
    child = part.process
    if kind in (FaultKind.STOP, FaultKind.RESTART):
        await child.end(timeout_s=STOP_TIMEOUT_S)
    elif kind is FaultKind.KILL:
        await child.kill_family(STOP_TIMEOUT_S)
    elif kind is FaultKind.PAUSE:
        child.send_family(signal.SIGSTOP)
        return {"at_ns": time.monotonic_ns()}
    else:
        raise EnvironmentFailure(f"the embedded environment cannot {kind} {child.name}: expected stop, kill or pause")
    return {"at_ns": time.monotonic_ns(), "ended": child.ending}


async def heal(part: Part[Child], kind: FaultKind) -> Mapping[str, Any]:
    """Continue the process, or start it again, and return when it answers."""
    if kind is FaultKind.PAUSE:
        part.process.send_family(signal.SIGCONT)
    else:
        part.process.start_again()
    started_ns = time.monotonic_ns()
    await part.until_ready()
    return {"at_ns": time.monotonic_ns(), "started_ns": started_ns}
