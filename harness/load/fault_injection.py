"""Injects the plan's faults at their planned times, heals them, and records the real times."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from harness.load.fleet import Fleet
from harness.load.protocol.rebroadcast_request import rebroadcast, until_ready
from harness.model.cluster import Cluster
from harness.model.errors import EnvironmentFailure
from harness.model.fault import Fault, FaultKind, Target
from harness.model.plan import Plan
from harness.model.watch import Watch
from harness.planning.fault_schedule import offset_ns
from harness.protocol.contract import ClientProtocol
from harness.recording.writer import Journal

READY_LIMIT_S = 20.0
UNTOUCHED_S = 1.0
"""How long the harness waits, after all components are back, before it asks for a rebroadcast. Messages that the
servers recover in this time they recovered without a request."""

HEALING = {
    FaultKind.STOP: "start",
    FaultKind.KILL: "start",
    FaultKind.PAUSE: "resume",
    FaultKind.PARTITION: "reconnect",
    FaultKind.RESTART: "start",
}
"""What heals each kind of fault, in one word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One half of a fault: its injection or its healing. ``number`` is the fault's place in the plan."""

    number: int
    fault: Fault
    heals: bool

    @property
    def event(self) -> str:
        return "heal" if self.heals else "fault"

    @property
    def what(self) -> str:
        verb = HEALING[self.fault.kind] if self.heals else str(self.fault.kind)
        return f"{verb} {self.fault.target if len(self.fault.parts) > 1 else self.fault.parts[0]}"


class FaultInjection:
    """All faults of a run. The experiment sets ``posted`` when every message was posted and answered."""

    def __init__(
        self, plan: Plan, cluster: Cluster, fleet: Fleet, *, protocol: ClientProtocol, journal: Journal, watch: Watch
    ) -> None:
        self.posted = asyncio.Event()
        self._plan = plan
        self._cluster = cluster
        self._fleet = fleet
        self._protocol = protocol
        self._journal = journal
        self._watch = watch

    @asynccontextmanager
    async def running(self, start_ns: int) -> AsyncIterator[None]:
        """Inject and heal while the block runs; the end of the block waits until every fault was healed. Raises
        EnvironmentFailure, also within the block, if a fault could not be injected or healed.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for number, fault in enumerate(self._plan.faults):
                    tasks.create_task(self._run_fault(number, fault, start_ns))
                yield
        except BaseExceptionGroup as group:
            # The task group is an implementation detail: the first error says what happened.
            raise group.exceptions[0] from None
        if self._plan.faults and self._plan.recovery == "manual":
            await self._recover_by_hand()

    async def _run_fault(self, number: int, fault: Fault, start_ns: int) -> None:
        at_ns = offset_ns(self._plan, fault.at)
        assert at_ns is not None, "a fault begins at a time that the schedule knows"
        await _sleep_until(start_ns + at_ns)
        await self._run_step(_Step(number=number, fault=fault, heals=False))
        if fault.kind is not FaultKind.RESTART:
            until_ns = offset_ns(self._plan, fault.until, at_ns)
            await (self.posted.wait() if until_ns is None else _sleep_until(start_ns + until_ns))
        await self._run_step(_Step(number=number, fault=fault, heals=True))

    async def _run_step(self, step: _Step) -> None:
        self._watch.note(step.what)
        self._journal.event(step.event, what=step.what, fault=step.number)
        seen = await self._act(step)
        self._journal.event(f"{step.event}-done", what=step.what, fault=step.number, seen=seen)

    async def _act(self, step: _Step) -> dict[str, Mapping[str, Any]]:
        """Inject or heal; what was seen of each part."""
        fault = step.fault
        if fault.target is Target.CLIENTS:
            act_on_clients = self._fleet.resume_reading if step.heals else self._fleet.pause_reading
            act_on_clients([int(part.removeprefix("client-")) for part in fault.parts])
            return {}
        act = self._cluster.heal if step.heals else self._cluster.inject
        seen = await asyncio.gather(*(act(fault.kind, part) for part in fault.parts))
        return {part: dict(values) for part, values in zip(fault.parts, seen, strict=True)}

    async def _recover_by_hand(self) -> None:
        cluster, protocol = self._cluster, self._protocol
        if not await until_ready(protocol, cluster.servers, cluster.token, READY_LIMIT_S):
            raise EnvironmentFailure(f"the servers were not ready {READY_LIMIT_S:g} s after the fault was healed")
        await asyncio.sleep(UNTOUCHED_S)
        self._watch.note("rebroadcast")
        self._journal.event("rebroadcast", what="rebroadcast")
        answers = await rebroadcast(protocol, cluster.servers, cluster.token)
        self._journal.event("rebroadcast-done", servers={name: answer.messages for name, answer in answers.items()})


async def _sleep_until(at_ns: int) -> None:
    await asyncio.sleep(max(0.0, (at_ns - time.monotonic_ns()) / 1e9))
