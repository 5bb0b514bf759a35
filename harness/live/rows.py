"""Writes live.jsonl: one row a second, from the progress of the load and the newest telemetry."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from harness.model.plan import Plan
from harness.model.watch import NextFault, Progress
from harness.planning.fault_schedule import offset_ns
from harness.recording.format import LIVE

INTERVAL_NS = 1_000_000_000
GENERATOR = ("worker-", "publisher")
"""The names of the processes of the load generator begin with these."""

Sample = Mapping[str, Any]
"""one line of telemetry.jsonl (docs/recording.md)"""


class LiveRows:
    """Rows of one run; a context manager. ``samples`` returns the newest two samples of the telemetry, or fewer."""

    def __init__(self, plan: Plan, folder: Path, samples: Callable[[], tuple[Sample, ...]]) -> None:
        self._plan = plan
        self._path = folder / LIVE
        self._samples = samples
        self._phase = ""
        self._begun_ns = time.monotonic_ns()
        self._start_ns = 0
        self._due_ns = 0

    def enter(self, phase: str) -> None:
        self._phase = phase

    def begin_schedule(self, start_ns: int) -> None:
        """Offset 0 of the schedule is at ``start_ns``."""
        self._start_ns = start_ns

    def complete(self, progress: Progress) -> Progress:
        """``progress`` with values from the plan and the telemetry."""
        now_ns = time.monotonic_ns()
        generator, machine = _cores(self._samples())
        return replace(
            progress,
            elapsed_s=round((now_ns - self._begun_ns) / 1e9, 1),
            remaining_s=self._remaining_s(now_ns),
            generator_cores=generator,
            machine_cores=machine,
            fault=self._next_fault(now_ns),
        )

    def write(self, progress: Progress) -> None:
        """Write a row if one is due. Raises OSError if the disk does not take it."""
        now_ns = time.monotonic_ns()
        if now_ns < self._due_ns:
            return
        self._due_ns += INTERVAL_NS
        if self._due_ns <= now_ns:
            self._due_ns = now_ns + INTERVAL_NS
        row = {"at_ns": now_ns, "phase": self._phase, **msgspec.to_builtins(progress)}
        self._file.write(msgspec.json.encode(row) + b"\n")
        self._file.flush()

    def _remaining_s(self, now_ns: int) -> float | None:
        if not self._start_ns:
            return None
        end_ns = self._start_ns + int((self._plan.warm_up_s + self._plan.duration_s) * 1e9)
        return round(max(0, end_ns - now_ns) / 1e9, 1)

    def _next_fault(self, now_ns: int) -> NextFault | None:
        """The first step of a fault that is still to come; known once the schedule has begun."""
        if not self._start_ns:
            return None
        coming: list[tuple[float, NextFault]] = []
        for fault in self._plan.faults:
            at_ns = offset_ns(self._plan, fault.at)
            until_ns = offset_ns(self._plan, fault.until, at_ns)
            what = f"{fault.kind} {fault.target}"
            if at_ns is not None and (left_s := (self._start_ns + at_ns - now_ns) / 1e9) > 0:
                coming.append((left_s, NextFault(what=what, in_s=round(left_s, 1))))
            elif until_ns is None:
                coming.append((float("inf"), NextFault(what=f"{what}: healed", in_s=None)))
            elif (left_s := (self._start_ns + until_ns - now_ns) / 1e9) > 0:
                coming.append((left_s, NextFault(what=f"{what}: healed", in_s=round(left_s, 1))))
        return min(coming, key=lambda one: one[0])[1] if coming else None

    def __enter__(self) -> Self:
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _cores(samples: tuple[Sample, ...]) -> tuple[float | None, float | None]:
    """(cores that the load generator kept busy, cores that the machine did) between two samples."""
    if len(samples) < 2:
        return None, None
    old, new = samples[-2], samples[-1]
    elapsed_s = (new["at_ns"] - old["at_ns"]) / 1e9
    if elapsed_s <= 0:
        return None, None
    before, after = old.get("processes", {}), new.get("processes", {})
    names = [name for name in after if name.startswith(GENERATOR) and name in before]
    spent_s = sum(after[name]["cpu_s"] - before[name]["cpu_s"] for name in names)
    busy_s = new["machine"]["busy_s"] - old["machine"]["busy_s"]
    return round(spent_s / elapsed_s, 3) if names else None, round(busy_s / elapsed_s, 3)
