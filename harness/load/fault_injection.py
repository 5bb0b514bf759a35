"""The timeline of a run: breaks what the plan says when it says so, undoes it, and writes down what really happened."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.load.fleet import Fleet
from harness.load.protocol.rebroadcast_request import rebroadcast, until_ready
from harness.model.cluster import Cluster
from harness.model.errors import EnvironmentFailure
from harness.model.fault import Fault, FaultKind, Target
from harness.model.plan import Plan
from harness.model.watch import Watch
from harness.planning.fault_schedule import offset_ns
from harness.recording.writer import Journal

READY_LIMIT_S = 20.0
UNTOUCHED_S = 1.0
"""How long nobody asks for a rebroadcast after everything is back: what is filled in this time filled itself."""

HEALED = {
    FaultKind.STOP: "start",
    FaultKind.KILL: "start",
    FaultKind.PAUSE: "resume",
    FaultKind.PARTITION: "reconnect",
    FaultKind.RESTART: "start",
}


class Timeline:
    """All faults of a run. ``posted`` is set by the story when every message was posted and answered."""

    def __init__(self, plan: Plan, cluster: Cluster, fleet: Fleet, *, journal: Journal, watch: Watch) -> None:
        self._plan = plan
        self._cluster = cluster
        self._fleet = fleet
        self._journal = journal
        self._watch = watch
        self.posted = asyncio.Event()

    @asynccontextmanager
    async def running(self, start_ns: int) -> AsyncIterator[None]:
        """Break and heal beside what happens inside the block; leaving it waits until every fault was healed.

        Raises EnvironmentFailure, out of the block if need be, where one could not be done or healed.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for number, fault in enumerate(self._plan.faults):
                    tasks.create_task(self._one(number, fault, start_ns))
                yield
        except BaseExceptionGroup as group:
            # The group is our way of running them, of no interest to whoever reads the message.
            raise group.exceptions[0] from None
        if self._plan.faults and self._plan.recovery == "manual":
            await self._recover_by_hand()

    async def _one(self, number: int, fault: Fault, start_ns: int) -> None:
        at_ns = offset_ns(self._plan, fault.at)
        assert at_ns is not None, "a fault begins at a time that the schedule knows"
        await _sleep_until(start_ns + at_ns)
        await self._do(number, fault, str(fault.kind), "fault", heal=False)
        if fault.kind is not FaultKind.RESTART:
            until_ns = offset_ns(self._plan, fault.until, at_ns)
            await (self.posted.wait() if until_ns is None else _sleep_until(start_ns + until_ns))
        await self._do(number, fault, HEALED[fault.kind], "heal", heal=True)

    async def _do(self, number: int, fault: Fault, word: str, event: str, *, heal: bool) -> None:
        what = f"{word} {fault.target if len(fault.parts) > 1 else fault.parts[0]}"
        self._watch.note(what)
        self._journal.event(event, what=what, fault=number)
        if fault.target is Target.CLIENTS:
            self._fleet.set_reading([int(part.removeprefix("client-")) for part in fault.parts], deaf=not heal)
            seen = {}
        else:
            act = self._cluster.heal if heal else self._cluster.inject
            found = await asyncio.gather(*(act(fault.kind, part) for part in fault.parts))
            seen = {part: dict(values) for part, values in zip(fault.parts, found, strict=True)}
        self._journal.event(f"{event}-done", what=what, fault=number, seen=seen)

    async def _recover_by_hand(self) -> None:
        cluster = self._cluster
        if not await until_ready(cluster.servers, cluster.token, READY_LIMIT_S):
            raise EnvironmentFailure(f"the servers were not ready {READY_LIMIT_S:g} s after the fault was healed")
        await asyncio.sleep(UNTOUCHED_S)
        self._watch.note("rebroadcast")
        self._journal.event("rebroadcast", what="rebroadcast")
        answers = await rebroadcast(cluster.servers, cluster.token)
        self._journal.event("rebroadcast-done", servers={name: messages for name, (_, messages) in answers.items()})


async def _sleep_until(at_ns: int) -> None:
    await asyncio.sleep(max(0.0, (at_ns - time.monotonic_ns()) / 1e9))
