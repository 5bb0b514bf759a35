"""Faults of links that the database makes: it ends the session at its end of the link (`pg_terminate_backend`)."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from harness.components.postgresql import session_ender
from harness.model.backplane import BACKPLANES
from harness.model.cluster import Endpoint
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from harness.model.link import BreakableLink, ends

ANSWER_TIMEOUT_S = 5.0
FOUND_LIMIT_S = 5.0
"""how long a session that is to be ended is waited for: its server may be connecting at that moment"""
LOOK_S = 0.02


class Sessions:
    """The sessions of the servers' links in ``database``. A fault that lasts ends every session that a server opens again,
    until it is healed; a restart ends the session once."""

    def __init__(self, database: Endpoint, backplane: str) -> None:
        self._database = database
        self._link: BreakableLink | None = BACKPLANES.get(backplane).breakable
        self._ending: dict[str, asyncio.Task[None]] = {}

    def can(self, kind: FaultKind, component: str) -> bool:
        """Whether this fault of this component is made here."""
        return self._link is not None and kind in self._link.sessions and bool(ends(component)[1])

    async def inject(self, kind: FaultKind, link: str) -> Mapping[str, Any]:
        """End the link's session and return when it is gone. Raises EnvironmentFailure where there is none."""
        assert self._link is not None, "`can` was asked"
        name = self._link.session_name.format(server=ends(link)[0])
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._end_all(name, gone, lasting=kind is not FaultKind.RESTART))
        waited: set[asyncio.Future[Any]] = {task, gone}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            await task  # raises what ended it
        self._ending[link] = task
        return {"at_ns": time.monotonic_ns(), "ended": f"pg_terminate_backend({gone.result()})"}

    async def heal(self, kind: FaultKind, link: str) -> Mapping[str, Any]:
        """Let the server's sessions be. Raises EnvironmentFailure where they were not ended all the time."""
        task = self._ending.pop(link)
        if kind is not FaultKind.RESTART and not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return {"at_ns": time.monotonic_ns()}

    async def close(self) -> None:
        """End what a run that was cut short left under way."""
        for task in self._ending.values():
            task.cancel()
        await asyncio.gather(*self._ending.values(), return_exceptions=True)

    async def _end_all(self, name: str, gone: "asyncio.Future[int]", *, lasting: bool) -> None:
        deadline_s = time.monotonic() + FOUND_LIMIT_S
        async with session_ender(self._database, name, timeout_s=ANSWER_TIMEOUT_S) as end:
            while lasting or not gone.done():
                found = await end()
                if found and not gone.done():
                    gone.set_result(found[0])
                if not gone.done() and time.monotonic() > deadline_s:
                    raise EnvironmentFailure(
                        f"no session {name!r} in PostgreSQL within {FOUND_LIMIT_S:g} s: there is nothing to end"
                    )
                await asyncio.sleep(LOOK_S)
