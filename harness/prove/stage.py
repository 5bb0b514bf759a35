"""The parts that trials share: one correct cluster for the bugs on the way, and the real command in a separate
process."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.environments.embedded.child import Child
from harness.environments.embedded.embedded_cluster import embedded
from harness.environments.guard import Guard
from harness.environments.ports import free_ports
from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.child_process import python_program
from harness.model.cluster import Cluster, Topology
from harness.model.component import COMPONENT_KINDS, Role
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.finding import Status, Verdict
from harness.model.secret import TOKEN_VARIABLE
from harness.recording.reader import read_verdict

RUN_LIMIT_S = 180.0
LISTEN_LIMIT_S = 15.0
USERS_CLUSTER = (TOKEN_VARIABLE, *(kind.variable for kind in COMPONENT_KINDS))
SERVERS = 2
LATEST = "latest"
FAITHFUL_ATTEMPTS = 3
FAITHFUL = (
    *("--size", "smoke", "--servers", str(SERVERS), "--clients", "40", "--audience", "8"),
    *("--rate", "100", "--duration", "6"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run in progress: its process, and the place of its recording."""

    process: asyncio.subprocess.Process
    out: Path
    scenario: str

    @property
    def folder(self) -> Path:
        return self.out / self.scenario / LATEST


Meanwhile = Callable[[Run], Coroutine[Any, Any, None]]
"""works during a run"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command of the harness ended. ``verdict`` is None if there is none; ``errors`` is its standard error."""

    exit_code: int
    errors: str
    folder: Path
    verdict: Verdict | None


@dataclass(slots=True, kw_only=True)
class Stage:
    """Used for one proof. ``down`` ends everything that was started."""

    folder: Path
    guard: Guard
    down: AsyncExitStack
    _cluster: Cluster | None = None
    _faithful: asyncio.Task[Ended] | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def cluster(self) -> Cluster:
        """Two correct reference servers with PostgreSQL and a broker, started when they are first needed."""
        async with self._starting:
            if self._cluster is None:
                topology = Topology(
                    servers=SERVERS,
                    backplane=BACKPLANES.default.name,
                    write_path=WRITE_PATHS.default.name,
                    run_id="prove",
                )
                self._cluster = await self.down.enter_async_context(
                    embedded(topology, logs=self.folder / "logs" / "cluster")
                )
            return self._cluster

    async def faithful_run(self) -> Ended:
        """A run without a bug that passes, made when it is first needed. Do not change its recording. Raises
        EnvironmentFailure if such a run does not pass on this machine.
        """
        if self._faithful is None:
            self._faithful = asyncio.create_task(self._passing_run())
        return await self._faithful

    async def _passing_run(self) -> Ended:
        for attempt in range(1, FAITHFUL_ATTEMPTS + 1):
            out = self.folder / "runs" / f"faithful-recording-{attempt}"
            out.mkdir(parents=True)
            ended = await self.run("scenario-a", *FAITHFUL, "--no-report", out=out)
            if ended.verdict is not None and ended.verdict.status is Status.PASS:
                return replace(ended, folder=ended.folder.resolve())
        raise EnvironmentFailure(
            f"{FAITHFUL_ATTEMPTS} runs without a bug did not pass on this machine, so none can show what a bug "
            f"changes; see {ended.folder}"
        )

    @asynccontextmanager
    async def listening(
        self,
        name: str,
        module: str,
        *arguments: str,
        ports: Sequence[int],
        environment: Mapping[str, str] | None = None,
    ) -> AsyncIterator[None]:
        """Our own program that listens on ``ports`` of loopback, inside the block."""
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        child = Child(
            *(name, Role.SERVER, module, python_program(module, *arguments)),
            log=log,
            guard=self.guard,
            environment=environment,
        )
        try:
            await _until_listening(child, ports)
            yield
        finally:
            await child.end(timeout_s=2.0)

    async def run(
        self,
        scenario: str,
        *arguments: str,
        out: Path,
        environment: Mapping[str, str] | None = None,
        meanwhile: Meanwhile | None = None,
    ) -> Ended:
        """``harness run`` with these arguments. ``meanwhile`` is cancelled when the run has ended."""
        process = await self._command(
            *("run", scenario, *arguments, "--force", "--json", "--out", str(out)), environment=environment
        )
        run = Run(process=process, out=out, scenario=scenario)
        other = asyncio.create_task(meanwhile(run)) if meanwhile else None
        try:
            async with asyncio.timeout(RUN_LIMIT_S):
                _, errors = await process.communicate()
        except TimeoutError:
            raise EnvironmentFailure(f"a run did not end within {RUN_LIMIT_S:g} s: {run.folder}") from None
        finally:
            if other is not None:
                other.cancel()
                await asyncio.gather(other, return_exceptions=True)
            await _end(process)
        return _ended(process, errors, run.folder)

    async def judge(self, recording: Path) -> Ended:
        """``harness judge`` on a recording."""
        process = await self._command("judge", str(recording), "--json")
        try:
            async with asyncio.timeout(RUN_LIMIT_S):
                _, errors = await process.communicate()
        except TimeoutError:
            raise EnvironmentFailure(f"judging did not end within {RUN_LIMIT_S:g} s: {recording}") from None
        finally:
            await _end(process)
        return _ended(process, errors, recording)

    async def _command(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "harness.cli", *arguments),
            env=_environment() | dict(environment or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.guard.watch_process(process.pid)
        return process

    def external(self, ports: Sequence[int]) -> tuple[str, ...]:
        """The arguments of a run against servers on these ports of loopback."""
        urls = (("--server", f"http://127.0.0.1:{port}") for port in ports)
        return ("--environment", "external", *(word for pair in urls for word in pair))

    @staticmethod
    def with_token(token: str) -> dict[str, str]:
        return {TOKEN_VARIABLE: token}

    @staticmethod
    def ports(count: int) -> list[int]:
        return free_ports(count)


def _environment() -> dict[str, str]:
    """This process's environment without the variables of an external cluster: every trial has its own cluster."""
    return {name: value for name, value in os.environ.items() if name not in USERS_CLUSTER}


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """A stage whose logs go to ``folder``."""
    async with AsyncExitStack() as down:
        guard = down.enter_context(Guard())
        yield Stage(folder=folder, guard=guard, down=down)


def _ended(process: asyncio.subprocess.Process, errors: bytes, folder: Path) -> Ended:
    assert process.returncode is not None
    text = errors.decode(errors="replace")
    return Ended(exit_code=process.returncode, errors=text, folder=folder, verdict=verdict_in(folder))


def verdict_in(folder: Path) -> Verdict | None:
    try:
        return read_verdict(folder)
    except UsageError:
        return None


async def _until_listening(child: Child, ports: Sequence[int]) -> None:
    try:
        async with asyncio.timeout(LISTEN_LIMIT_S):
            for port in ports:
                while not await _answers(port):
                    if casualty := child.casualty():
                        raise EnvironmentFailure(casualty)
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise EnvironmentFailure(f"{child.name} does not listen after {LISTEN_LIMIT_S:g} s; see {child.log}") from None


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a run that still works: it removes its cluster itself. Kill it if it does not end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(15.0):
                    await process.wait()
