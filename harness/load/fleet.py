"""All processes of the load generator, as one thing: start, connect, probe, go, drain, finish.

The only part of `harness.load` that others use. It speaks to its processes in lines (`job.Command`, `job.Report`) and takes
rows as files, so that an engine which runs them on other machines can take its place.
"""

import asyncio
import contextlib
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from harness.load.engine.job import Command, Job, Report
from harness.model.cluster import ServerAddress
from harness.model.component import Component, Role
from harness.model.errors import EnvironmentFailure, WorkerLost
from harness.model.plan import Plan
from harness.model.watch import Progress
from harness.recording.arrays import repair
from harness.recording.format import DELIVERY, FRAME, HEARTBEAT, SESSION

END_TIMEOUT_S = 10.0
CLOSED_HZ_AT_LEAST = 4_000.0
"""Clients that the fleet closes each second: many take longer."""
STRAGGLERS_S = 0.5
"""After the last expected delivery: time for one that nobody expects."""
STRAGGLERS_AFTER_FAULTS_S = 2.0
_REPAIRED = {"deliveries": DELIVERY, "frames": FRAME, "sessions": SESSION, "heartbeat": HEARTBEAT}


@dataclass(slots=True, kw_only=True)
class _Member:
    """One process with its newest report."""

    name: str
    process: Process
    log: Path
    report: Report = field(default_factory=Report)
    listener: "asyncio.Task[None] | None" = None
    asked_to_end: bool = False


class Fleet:
    """Load workers and the sender for one run; an async context manager.

    Every wait ends at once with WorkerLost when a process of it dies, or with EnvironmentFailure when one says that it
    cannot go on (a full disk). Leaving it ends every process and leaves every row file whole.
    """

    def __init__(self, *, plan: Plan, servers: Sequence[ServerAddress], token: str, folder: Path) -> None:
        self._plan = plan
        self._arrays = folder / "arrays"
        self._logs = folder / "logs"
        self._job = Job(plan=plan, servers=tuple(servers), token=token, arrays=str(self._arrays))
        self._members: list[_Member] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._arrays.mkdir(exist_ok=True)
        self._logs.mkdir(exist_ok=True)
        try:
            for index in range(self._plan.workers):
                await self._start(f"worker-{index:02}", "harness.load.worker", index)
            await self._start("publisher", "harness.load.publisher", 0)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def connect(self, timeout_s: float) -> None:
        """All clients connected and subscribed. Raises EnvironmentFailure with how far it came and the last trouble."""
        self._tell("connect", self._members)
        if not await self._until(lambda: self.progress().subscribed >= self._plan.clients, timeout_s):
            state = self.progress()
            trouble = "; ".join(member.report.trouble for member in self._members if member.report.trouble)
            raise EnvironmentFailure(
                f"only {state.subscribed:,} of {self._plan.clients:,} clients were subscribed after {timeout_s:g} s "
                f"({state.connected:,} connected); {trouble or 'no error was seen'}"
            )

    async def probe(self, timeout_s: float) -> tuple[int, int]:
        """Post one message to each channel; (clients, clients that saw theirs) when all did or time is up."""
        self._tell("probe", self._publishers())
        await self._until(lambda: self.progress().probed >= self._plan.clients, timeout_s)
        return self._plan.clients, self.progress().probed

    async def start(self, start_ns: int) -> None:
        """Offset 0 of the schedule is at ``start_ns`` of CLOCK_MONOTONIC."""
        self._tell("start", self._members, start_ns)

    def set_reading(self, clients: Sequence[int], *, deaf: bool) -> None:
        """Let these clients stop reading what their servers send, or read again."""
        line = Command(do="set_reading", clients=tuple(clients), deaf=deaf)
        self._send(line, [member for member in self._members if member.name != "publisher"])

    async def posted(self, timeout_s: float) -> bool:
        """Whether every message was sent and answered, or given up, within ``timeout_s``."""
        total = self._plan.channels + round(self._plan.rate_hz * self._plan.warm_up_s)
        total += max(1, round(self._plan.rate_hz * self._plan.duration_s))

        def settled() -> bool:
            state = self.progress()
            return state.acknowledged + state.rejected + state.indeterminate >= total

        return await self._until(settled, timeout_s)

    async def drain(self, quiet_s: float, limit_s: float) -> bool:
        """True when every delivery of an acknowledged message arrived; False after ``quiet_s`` without a new one, or
        after ``limit_s``. Counted, not matched: which ones are missing is for the judge."""
        deadline_s = time.monotonic() + limit_s
        seen, changed_s = -1, time.monotonic()
        while time.monotonic() < deadline_s:
            state = self.progress()
            if state.delivered >= self._expected() and state.subscribed >= self._plan.clients:
                # After a fault there may be more than expected: posts of unknown outcome that turn out to exist.
                await asyncio.sleep(STRAGGLERS_AFTER_FAULTS_S if self._plan.faults else STRAGGLERS_S)
                return True
            if state.delivered != seen or state.subscribed < self._plan.clients:
                # Who has lost its connection is on its way back, and what it missed with it: that is no quiet.
                seen, changed_s = state.delivered, time.monotonic()
            elif time.monotonic() - changed_s > quiet_s:
                return False
            self.check()
            await asyncio.sleep(0.05)
        return False

    async def finish(self) -> None:
        """Close all connections in good order and every file; the processes end. Idempotent.

        Raises EnvironmentFailure where one does not."""
        for member in self._members:
            if not member.asked_to_end:
                member.asked_to_end = True
                self._tell("finish", [member])
        limit_s = max(END_TIMEOUT_S, self._plan.clients / CLOSED_HZ_AT_LEAST)
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(member.process.wait() for member in self._members))
        except TimeoutError:
            late = [member.name for member in self._members if member.process.returncode is None]
            raise EnvironmentFailure(f"{', '.join(late)} of the load generator did not end in {limit_s:g} s") from None

    def progress(self) -> Progress:
        reports = [member.report for member in self._members]
        sample = [latency for report in reports for latency in report.latencies_ms]
        p50, p95, p99 = np.percentile(sample, [50, 95, 99]).tolist() if sample else (None, None, None)
        workers = [member.report for member in self._members if member.name != "publisher"]
        sender = next((member.report for member in self._members if member.name == "publisher"), Report())
        return Progress(
            connected=sum(report.connected for report in workers),
            subscribed=sum(report.subscribed for report in workers),
            probed=sum(report.probed for report in workers),
            sent=sender.sent,
            acknowledged=sender.acknowledged,
            rejected=sender.rejected,
            indeterminate=sender.indeterminate,
            delivered=sum(report.delivered for report in workers),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            late_ms=sender.late_ms,
        )

    def processes(self) -> Sequence[Component]:
        return [
            Component(name=member.name, role=Role.GENERATOR, kind="harness.load", pid=member.process.pid)
            for member in self._members
        ]

    def check(self) -> None:
        """Raise WorkerLost where a process ended unasked, EnvironmentFailure where one cannot go on."""
        for member in self._members:
            if member.report.failed:
                raise EnvironmentFailure(f"{member.name} cannot go on: {_explained(member.report.trouble)}")
            code = member.process.returncode
            if code is not None and not (member.asked_to_end and code == 0):
                raise WorkerLost(
                    f"{member.name} of the load generator ended unexpectedly: {_how_it_ended(code)}; "
                    f"what its clients received from then on is not known{_last_words(member.log)}"
                )

    # Processes.

    async def _start(self, name: str, module: str, index: int) -> None:
        log = self._logs / f"{name}.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", module),
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                start_new_session=True,
            )
        member = _Member(name=name, process=process, log=log)
        self._members.append(member)
        member.listener = asyncio.create_task(self._listen(member))
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(msgspec.structs.replace(self._job, index=index)) + b"\n")

    async def _listen(self, member: _Member) -> None:
        assert member.process.stdout is not None
        decode = msgspec.json.Decoder(Report).decode
        while line := await member.process.stdout.readline():
            member.report = decode(line)
            self._changed.set()
        await member.process.wait()
        self._changed.set()

    def _publishers(self) -> list[_Member]:
        return [member for member in self._members if member.name == "publisher"]

    def _expected(self) -> int:
        return sum(member.report.expected for member in self._publishers())

    def _tell(self, word: str, members: Sequence[_Member], start_ns: int = 0) -> None:
        self._send(Command(do=word, start_ns=start_ns), members)

    def _send(self, command: Command, members: Sequence[_Member]) -> None:
        line = msgspec.json.encode(command) + b"\n"
        for member in members:
            assert member.process.stdin is not None
            # A process that is gone is noticed by `check`, with its reason.
            with contextlib.suppress(OSError):
                member.process.stdin.write(line)

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether ``condition`` became true within ``timeout_s``; looks again at each report."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self.check()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, 1.0)):
                    await self._changed.wait()
        return True

    async def _end(self) -> None:
        """End every process, also when cancelled in the middle of it, and repair what they left."""
        try:
            with contextlib.suppress(EnvironmentFailure):
                await self.finish()
        finally:
            for member in self._members:
                if member.process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        member.process.kill()
            for member in self._members:
                await member.process.wait()
                if member.listener is not None:
                    member.listener.cancel()
            self._repair()

    def _repair(self) -> None:
        """A process that was killed left its row files unclosed."""
        for path in self._arrays.glob("*-*.npy"):
            if dtype := _REPAIRED.get(path.name.split("-")[0]):
                with contextlib.suppress(OSError):
                    repair(path, dtype)


def _how_it_ended(code: int) -> str:
    try:
        return f"exit code {code}" if code >= 0 else f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()[-8:]
    except OSError:
        lines = []
    return f"; last lines of {log}:\n  " + "\n  ".join(lines) if lines else ""


def _explained(trouble: str) -> str:
    if "No space left" in trouble:
        return f"the disk with the results is full ({trouble}); free some space or choose another folder with --out"
    return trouble
