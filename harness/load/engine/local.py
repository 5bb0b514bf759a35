"""The engine that runs every job as a process of this machine."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.load.engine.engine import Ending
from harness.load.engine.job import Command, Job, Report
from harness.model.child_process import child_environment, python_program
from harness.model.component import Component, Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import how_it_ended, last_lines
from harness.recording.arrays import repair
from harness.recording.format import ARRAYS, DELIVERY, FRAME, HEARTBEAT, LOGS, SESSION

LINE_BYTES = 16 << 20
"""The longest report: one that names every rejected message of a long outage."""
_REPAIRED = {"deliveries": DELIVERY, "frames": FRAME, "sessions": SESSION, "heartbeat": HEARTBEAT}


@dataclass(slots=True, kw_only=True)
class _Running:
    """One process with its newest report."""

    process: Process
    log: Path
    report: Report = field(default_factory=Report)
    reader: "asyncio.Task[None]"


class LocalEngine:
    """See `harness.load.engine.engine.Engine`.

    The work folder of every job is the recording's own folder for row files: their names differ from job to job, the
    harness need not copy them, and the rows are in their final place even if the harness is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._arrays = folder / ARRAYS
        self._logs = folder / LOGS
        self._running: dict[str, _Running] = {}
        self._changed = asyncio.Event()

    async def start(self, jobs: Sequence[Job]) -> None:
        self._arrays.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            await self._start(job)

    def send(self, name: str, command: Command) -> None:
        self._write(self._running[name].process, msgspec.json.encode(command))

    def report(self, name: str) -> Report:
        return self._running[name].report

    def ending(self, name: str) -> Ending | None:
        running = self._running[name]
        code = running.process.returncode
        if code is None:
            return None
        return Ending(
            in_order=code == 0, how=how_it_ended(code), last_lines="" if code == 0 else last_lines(running.log)
        )

    async def changed(self, limit_s: float) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._changed.wait()

    async def end(self) -> None:
        for running in self._running.values():
            if running.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    running.process.kill()
        for running in self._running.values():
            await running.process.wait()
            running.reader.cancel()

    async def fetch(self) -> None:
        """The rows are in their final place; a process that was killed left its files unclosed."""
        for path in self._arrays.glob("*-*.npy"):
            if dtype := _REPAIRED.get(path.name.split("-")[0]):
                # On a full disk the header cannot be written; a file without rows is judged as such.
                with contextlib.suppress(OSError):
                    repair(path, dtype)

    def components(self) -> Sequence[Component]:
        return [
            Component(name=name, role=Role.GENERATOR, kind="harness.load", pid=running.process.pid)
            for name, running in self._running.items()
        ]

    async def _start(self, job: Job) -> None:
        log = self._logs / f"{job.name}.log"
        try:
            with log.open("ab") as errors:
                process = await asyncio.create_subprocess_exec(
                    *python_program(job.module, str(self._arrays)),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=errors,
                    start_new_session=True,
                    env=child_environment(),
                    limit=LINE_BYTES,
                )
        except OSError as error:
            raise EnvironmentFailure(f"{job.name} of the load generator cannot be started: {error}") from error
        reader = asyncio.create_task(self._read_reports(job.name))
        self._running[job.name] = _Running(process=process, log=log, reader=reader)
        self._write(process, msgspec.json.encode(job))

    async def _read_reports(self, name: str) -> None:
        running = self._running[name]
        assert running.process.stdout is not None
        decode = msgspec.json.Decoder(Report).decode
        try:
            while line := await running.process.stdout.readline():
                running.report = decode(line)
                self._changed.set()
            await running.process.wait()
        except (msgspec.MsgspecError, ValueError) as error:  # a ValueError: the line is longer than asyncio's buffer
            running.report.fail(EnvironmentFailure(f"its report cannot be read: {error}"))
        finally:
            self._changed.set()

    @staticmethod
    def _write(process: Process, line: bytes) -> None:
        assert process.stdin is not None
        # A process that is gone cannot read it; `ending` says how it ended.
        with contextlib.suppress(OSError):
            process.stdin.write(line + b"\n")
