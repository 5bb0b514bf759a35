"""The load of one run. The fleet decides when its processes connect, probe, post, drain and finish; an engine
(`harness.load.engine`) runs the processes, here or on other machines.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from harness.load.engine.engine import Engine
from harness.load.engine.job import Action, Command, Job, Report
from harness.load.quiet import Quiet
from harness.load.recent_latency import RecentLatency
from harness.model.cluster import ServerAddress
from harness.model.component import Component
from harness.model.drain import LIMIT_S_AT_LEAST, Drained, DrainEnd
from harness.model.errors import EnvironmentFailure, WorkerLost
from harness.model.plan import Plan
from harness.model.watch import Progress

END_TIMEOUT_S = 10.0
CLOSED_HZ_AT_LEAST = 4_000.0
"""Clients that the fleet closes each second: many take longer."""
STRAGGLERS_S = 0.5
"""How long the fleet waits, after the last expected delivery, for deliveries that are not expected."""
STRAGGLERS_AFTER_FAULTS_S = 2.0
POLL_S = 0.05
PUBLISHER = "publisher"


class Fleet:
    """Load workers and the publisher of one run; an async context manager.

    Every wait ends at once with WorkerLost when a process dies, or with EnvironmentFailure when a process reports that
    it cannot go on (a full disk). Leaving the block ends every process and brings every row file into the recording.
    """

    def __init__(self, *, plan: Plan, servers: Sequence[ServerAddress], token: str, engine: Engine) -> None:
        self._plan = plan
        self._engine = engine
        self._jobs = _jobs(plan, tuple(servers), token)
        self._workers: list[str] = []
        self._everyone: list[str] = []
        self._finishing = False
        self._latency = RecentLatency()
        self._sampled: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._engine.start(self._jobs)
        except BaseException:
            await self._engine.end()
            raise
        self._everyone = [job.name for job in self._jobs]
        self._workers = [name for name in self._everyone if name != PUBLISHER]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with contextlib.suppress(EnvironmentFailure):
                await self.finish()
        finally:
            # Also where this task is cancelled once more in the middle of it.
            try:
                await self._engine.end()
            finally:
                await self._engine.fetch()

    async def connect(self, timeout_s: float) -> None:
        """Connect and subscribe all clients. Raises EnvironmentFailure with the number of subscribed clients and the
        last problem."""
        self._send(Command(do=Action.CONNECT), self._everyone)
        if not await self._until(lambda: self.progress().subscribed >= self._plan.clients, timeout_s):
            state = self.progress()
            trouble = "; ".join(filter(None, (self._engine.report(name).trouble for name in self._everyone)))
            raise EnvironmentFailure(
                f"only {state.subscribed:,} of {self._plan.clients:,} clients were subscribed after {timeout_s:g} s "
                f"({state.connected:,} connected); {trouble or 'no error was seen'}"
            )

    async def probe(self, timeout_s: float) -> tuple[int, int]:
        """Post one message to each channel. Returns (clients, clients that saw their message) when all have seen it or
        the time is up."""
        self._send(Command(do=Action.PROBE), [PUBLISHER])
        await self._until(lambda: self.progress().probed >= self._plan.clients, timeout_s)
        return self._plan.clients, self.progress().probed

    async def start(self, start_ns: int) -> None:
        """Offset 0 of the schedule is at ``start_ns`` of CLOCK_MONOTONIC."""
        self._send(Command(do=Action.START, start_ns=start_ns), self._everyone)

    def pause_reading(self, clients: Sequence[int]) -> None:
        """These clients stop reading from their sockets."""
        self._send(Command(do=Action.PAUSE_READING, clients=tuple(clients)), self._workers)

    def resume_reading(self, clients: Sequence[int]) -> None:
        self._send(Command(do=Action.RESUME_READING, clients=tuple(clients)), self._workers)

    async def posted(self, timeout_s: float) -> bool:
        """Whether every message has an outcome (answered, or given up) within ``timeout_s``."""
        total = _messages(self._plan)

        def all_posted() -> bool:
            state = self.progress()
            return state.acknowledged + state.rejected + state.indeterminate >= total

        return await self._until(all_posted, timeout_s)

    async def drain(self, quiet_s: float, limit_s: float) -> Drained:
        """Wait until every delivery has arrived that may come, or until ``quiet_s`` without a new one, at most
        ``limit_s``.

        Counted are (client, message) pairs, so that a repetition hides no missing delivery; the judge finds out which
        are missing. A message of unknown outcome may come: the fleet waits for it like for the others. A delivery of a
        rejected message does not count as any expected delivery: the fleet tells the load workers which messages were
        rejected. It is not quiet while a client has no subscription, because the client will resume and get the missing
        messages, nor while a load worker is stalled. Half of ``quiet_s`` before the end, the clients ping: so a client
        whose connection is lost notices it, and resumes."""
        deadline_s = time.monotonic() + limit_s
        quiet = Quiet(quiet_s)
        named = 0
        pinged = False
        while True:
            workers = [self._engine.report(name) for name in self._workers]
            publisher = self._engine.report(PUBLISHER)
            reached, unsubscribed = sum(report.reached for report in workers), self._unsubscribed(workers)
            named = self._disregard_rejected(publisher, named)
            agreed = all(report.disregarded == publisher.rejected for report in workers)
            now_s = time.monotonic()
            quiet.look(now_s, reached, [report.reports for report in workers], unsubscribed)
            if agreed and reached >= publisher.expected + publisher.doubtful and not unsubscribed:
                await asyncio.sleep(STRAGGLERS_AFTER_FAULTS_S if self._plan.faults else STRAGGLERS_S)
                return quiet.drained(DrainEnd.COMPLETE, unsubscribed)
            silent = quiet.lasts_s >= quiet_s / 2
            if silent and not pinged:
                self._send(Command(do=Action.PING), self._workers)
            pinged = silent
            if quiet.settled_s >= quiet_s:
                return quiet.drained(DrainEnd.QUIET, 0)
            if now_s >= deadline_s or quiet.lasts_s >= LIMIT_S_AT_LEAST:
                return quiet.drained(DrainEnd.CUT_OFF, unsubscribed)
            self.check()
            await asyncio.sleep(POLL_S)

    def _disregard_rejected(self, publisher: Report, named: int) -> int:
        """Tell the load workers which messages were rejected, beyond the first ``named``; how many they know now."""
        if publisher.rejected and not publisher.refused and publisher.phase != Action.NAME_REJECTED:
            self._send(Command(do=Action.NAME_REJECTED), [PUBLISHER])
        if new := publisher.refused[named:]:
            self._send(Command(do=Action.DISREGARD, messages=new), self._workers)
        return max(named, len(publisher.refused))

    def _unsubscribed(self, workers: Sequence[Report]) -> int:
        return max(0, self._plan.clients - sum(report.subscribed for report in workers))

    async def finish(self) -> None:
        """Close all connections by the closing handshake, and every file; the processes end. Idempotent.

        Raises EnvironmentFailure with those that do not end in time."""
        if not self._finishing:
            self._finishing = True
            self._send(Command(do=Action.FINISH), self._everyone)
        limit_s = max(END_TIMEOUT_S, self._plan.clients / CLOSED_HZ_AT_LEAST)
        deadline_s = time.monotonic() + limit_s
        while running := [name for name in self._everyone if self._engine.ending(name) is None]:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise EnvironmentFailure(f"{', '.join(running)} of the load generator did not end in {limit_s:g} s")
            await self._engine.changed(left_s)

    def progress(self) -> Progress:
        now_s = time.monotonic()
        workers = {name: self._engine.report(name) for name in self._workers}
        for name, report in workers.items():
            # A sample is taken once: a report stays until the next one comes.
            if self._sampled.get(name) != report.reports:
                self._sampled[name] = report.reports
                self._latency.add(now_s, report.latencies_ms)
        return _progress(
            self._plan.clients, list(workers.values()), self._engine.report(PUBLISHER), self._latency, now_s
        )

    def components(self) -> Sequence[Component]:
        return self._engine.components()

    def check(self) -> None:
        """Raise WorkerLost if a process ended unexpectedly, EnvironmentFailure if one cannot continue."""
        for name in self._everyone:
            report = self._engine.report(name)
            if report.failed:
                raise EnvironmentFailure(f"{name} cannot go on: {_with_advice(report.trouble)}")
            ending = self._engine.ending(name)
            if ending is not None and not (self._finishing and ending.in_order):
                log = f"; {ending.last_lines}" if ending.last_lines else ""
                raise WorkerLost(
                    f"{name} of the load generator ended unexpectedly: {ending.how}; "
                    f"what its clients received from then on is not known{log}"
                )

    def _send(self, command: Command, names: Sequence[str]) -> None:
        for name in names:
            self._engine.send(name, command)

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether ``condition`` became true within ``timeout_s``; it is checked at each report."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self.check()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            await self._engine.changed(min(left_s, 1.0))
        return True


def _jobs(plan: Plan, servers: tuple[ServerAddress, ...], token: str) -> list[Job]:
    def job(name: str, module: str, index: int = 0) -> Job:
        return Job(name=name, module=module, plan=plan, servers=servers, token=token, index=index)

    workers = [job(f"worker-{index:02}", "harness.load.worker", index) for index in range(plan.workers)]
    return [*workers, job(PUBLISHER, "harness.load.publisher")]


def _messages(plan: Plan) -> int:
    """The length of the schedule: one probe for each channel, the warm-up, the measured messages."""
    warm_up = round(plan.rate_hz * plan.warm_up_s)
    return plan.channels + warm_up + max(1, round(plan.rate_hz * plan.duration_s))


def _progress(
    clients: int, workers: Sequence[Report], publisher: Report, latency: RecentLatency, now_s: float
) -> Progress:
    p50, p95, p99 = latency.recent(now_s) or (None, None, None)
    whole_p50, whole_p99 = latency.whole()
    arrived = sum(report.reached + report.pending for report in workers)
    return Progress(
        clients=clients,
        connected=sum(report.connected for report in workers),
        subscribed=sum(report.subscribed for report in workers),
        probed=sum(report.probed for report in workers),
        sent=publisher.sent,
        acknowledged=publisher.acknowledged,
        rejected=publisher.rejected,
        indeterminate=publisher.indeterminate,
        delivered=sum(report.delivered for report in workers),
        expected=publisher.expected,
        missing=max(0, publisher.expected - arrived),
        broken=sum(report.broken for report in workers),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        whole_p50_ms=whole_p50,
        whole_p99_ms=whole_p99,
        late_ms=publisher.late_ms,
        lag_ms=max((report.lag_ms for report in (*workers, publisher)), default=0.0),
    )


def _with_advice(trouble: str) -> str:
    if "No space left" in trouble:
        return f"the disk with the results is full ({trouble}); free some space or choose another folder with --out"
    return trouble
