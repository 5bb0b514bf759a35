"""Trials that disturb the measurement while it runs: the load generator's processes, and the machine."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from harness.environments.guard import Guard
from harness.prove.demand import Observation
from harness.prove.planted_events import PlantedEvents, count_planted
from harness.prove.stage import Run, Stage
from harness.prove.trials import EVENTS, observation
from harness.recording.reader import read_events

LOAD_WORKER, PUBLISHER = "harness.load.worker", "harness.load.publisher"
POLL_S = 0.05
SPIN = "import time\nend_s = time.monotonic() + 120\nwhile time.monotonic() < end_s: pass"
"""It ends by itself if its parent dies first."""


class From(StrEnum):
    """When a disturbance begins or ends, by the run's events."""

    MEASURE = "measure"
    FAULT = "fault"
    HEALED = "healed"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """The processes of ``module`` are stopped for ``frozen_s``, every ``every_s`` seconds, from the measured window
    on."""

    module: str
    frozen_s: float
    every_s: float
    arguments: tuple[str, ...]

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        events = PlantedEvents(folder / EVENTS)

        async def disturb(run: Run) -> None:
            await reached(run, From.MEASURE)
            found = processes(run, self.module)
            while any(process.is_running() for process in found):
                await asyncio.sleep(self.every_s - self.frozen_s)
                async with _stopped(found):
                    events.add(f"{self.module} stopped for {self.frozen_s:g} s")
                    await asyncio.sleep(self.frozen_s)

        ended = await stage.run("scenario-a", *self.arguments, "--no-report", out=folder, meanwhile=disturb)
        return observation(ended, count_planted(folder / EVENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dies:
    """The first process of ``module`` is killed in the measured window."""

    module: str
    arguments: tuple[str, ...]

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        events = PlantedEvents(folder / EVENTS)

        async def disturb(run: Run) -> None:
            await reached(run, From.MEASURE)
            await asyncio.sleep(0.5)
            for process in processes(run, self.module)[:1]:
                process.kill()
                events.add(f"{self.module} killed")

        ended = await stage.run("scenario-a", *self.arguments, "--no-report", out=folder, meanwhile=disturb)
        return observation(ended, count_planted(folder / EVENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLoad:
    """Programs that are not part of the run use two cores, between two moments of it."""

    begins: From
    ends: From
    scenario: str
    arguments: tuple[str, ...]
    programs: int = 2

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        events = PlantedEvents(folder / EVENTS)

        async def disturb(run: Run) -> None:
            await reached(run, self.begins)
            async with _spinning(self.programs, stage.guard):
                events.add(f"{self.programs} programs")
                await reached(run, self.ends)

        ended = await stage.run(self.scenario, *self.arguments, "--no-report", out=folder, meanwhile=disturb)
        return observation(ended, count_planted(folder / EVENTS))


async def reached(run: Run, moment: From) -> None:
    """Return when the run is at this moment, or has ended."""
    while run.process.returncode is None:
        # Its last line may be half written.
        with contextlib.suppress(OSError, json.JSONDecodeError):
            if any(is_moment(event, moment) for event in read_events(run.folder)):
                return
        await asyncio.sleep(POLL_S)


def is_moment(event: dict[str, object], moment: From) -> bool:
    word = event.get("event")
    if moment is From.FAULT:
        return word == "fault"
    if moment is From.HEALED:
        return word == "heal-done"
    return word == "phase" and event.get("name") == moment.value


def processes(run: Run, module: str) -> list[psutil.Process]:
    """The processes below the run whose command line names ``module``."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(run.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if module in child.cmdline():
                    found.append(child)
    return found


@contextlib.asynccontextmanager
async def _stopped(found: list[psutil.Process]) -> AsyncIterator[None]:
    """They are stopped inside the block."""
    try:
        _send(found, signal.SIGSTOP)
        yield
    finally:
        _send(found, signal.SIGCONT)


def _send(found: list[psutil.Process], number: int) -> None:
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


@contextlib.asynccontextmanager
async def _spinning(count: int, guard: Guard) -> AsyncIterator[None]:
    spinners: list[asyncio.subprocess.Process] = []
    try:
        for _ in range(count):
            spinners.append(await asyncio.create_subprocess_exec(sys.executable, "-c", SPIN))
            guard.watch_process(spinners[-1].pid)
        yield
    finally:
        for spinner in spinners:
            with contextlib.suppress(ProcessLookupError):
                spinner.kill()
            await spinner.wait()
