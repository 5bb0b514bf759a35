"""The whole series: try each planted bug, compare the verdict with the expected one, keep the table."""

import asyncio
import contextlib
import logging
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.model.errors import EnvironmentFailure, HarnessError
from harness.model.finding import Bias, Kind, Status
from harness.model.proof import Proof, ProofRow
from harness.prove.damages import InTheRecording
from harness.prove.demand import Observation
from harness.prove.planted_bug import PlantedBug
from harness.prove.stage import Stage, open_stage

_log = logging.getLogger(__name__)
AT_ONCE = 2
"""Trials whose figures are counts share the machine; trials whose figures are times cannot."""
ATTEMPTS = 3
RUNS = "runs"

Say = Callable[[ProofRow, Proof], None]


async def prove(bugs: Sequence[PlantedBug], *, scope: str, folder: Path, say: Say) -> Proof:
    """Try ``bugs``; recordings and logs go below ``folder``. ``say`` gets each row and the proof so far."""
    began, started_s = datetime.now(UTC), time.monotonic()
    rows: dict[str, ProofRow] = {}

    def so_far() -> Proof:
        return Proof(
            version=__version__,
            scope=scope,
            began=began.isoformat(timespec="seconds").replace("+00:00", "Z"),
            took_s=round(time.monotonic() - started_s, 1),
            machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            rows=tuple(rows[bug.name] for bug in bugs if bug.name in rows),
            complete=len(rows) == len(bugs),
        )

    async with open_stage(folder) as stage:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(bug: PlantedBug) -> None:
            async with room:
                rows[bug.name] = await _row(bug, stage, folder)
                say(rows[bug.name], so_far())

        if any(isinstance(bug.trial, InTheRecording) for bug in bugs):
            # Alone, because damaged copies are compared with its figures. If it fails, the rows that need it say so.
            with contextlib.suppress(EnvironmentFailure):
                await stage.faithful_run()
        async with asyncio.TaskGroup() as group:
            for bug in bugs:
                if not bug.alone:
                    group.create_task(one(bug))
        for bug in bugs:
            if bug.alone:
                await one(bug)
    return so_far()


async def _row(bug: PlantedBug, stage: Stage, folder: Path) -> ProofRow:
    """Try ``bug``, and again if the machine was too busy for its figures."""
    started_s = time.monotonic()
    for attempt in range(1, (ATTEMPTS if bug.alone else 1) + 1):
        place = folder / RUNS / (bug.name if attempt == 1 else f"{bug.name}-{attempt}")
        place.mkdir(parents=True)
        try:
            observation = await bug.trial.observe(stage, place)
        except HarnessError as error:
            return _broken(bug, str(error), time.monotonic() - started_s)
        except Exception as error:
            # An error in one trial affects only its own row.
            _log.exception("trial %s failed", bug.name)
            return _broken(bug, f"{type(error).__name__}: {error}", time.monotonic() - started_s)
        row = _judged(bug, observation, folder, took_s=time.monotonic() - started_s, attempts=attempt)
        busy = _busy_by(observation)
        if row.right or not busy:
            return row
    return replace(row, wrong=(*row.wrong, f"the machine was busy, by {', '.join(busy)}")) if bug.alone else row


def _judged(bug: PlantedBug, observation: Observation, folder: Path, *, took_s: float, attempts: int) -> ProofRow:
    replies = [demand.answer(observation) for demand in bug.demands]
    found = next((reply.found for reply in replies if reply.found is not None), None)
    wrong = [f"expected {reply.demanded}; found {reply.said}" for reply in replies if not reply.right]
    if observation.events == 0:
        wrong.append("nothing was planted")
    if wrong and observation.verdict is None and observation.errors:
        wrong.append(observation.errors.strip().splitlines()[-1])
    return ProofRow(
        name=bug.name,
        place=bug.place,
        planted=bug.planted,
        events=observation.events,
        demanded=tuple(reply.demanded for reply in replies),
        said=tuple(reply.said for reply in replies),
        found=found,
        wrong=tuple(wrong),
        took_s=round(took_s, 1),
        attempts=attempts,
        folder=_relative(observation.folder, folder),
    )


def _broken(bug: PlantedBug, why: str, took_s: float) -> ProofRow:
    """The row of a trial that could not be made."""
    return ProofRow(
        name=bug.name,
        place=bug.place,
        planted=bug.planted,
        events=None,
        demanded=(),
        said=(),
        found=None,
        wrong=(f"the trial could not be made: {why}",),
        took_s=round(took_s, 1),
    )


def _busy_by(observation: Observation) -> list[str]:
    """The validity checks by which figures may be worse than the system deserves."""
    findings = observation.verdict.findings if observation.verdict else ()
    return [
        finding.check
        for finding in findings
        if finding.kind is Kind.VALIDITY and finding.status is not Status.PASS and finding.bias is Bias.PESSIMISTIC
    ]


def _relative(recording: Path, folder: Path) -> str:
    place = recording.resolve()
    return str(place.relative_to(folder.resolve())) if place.exists() else ""
