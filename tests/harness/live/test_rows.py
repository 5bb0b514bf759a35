"""The rows of the live view: one each second, with what the plan and the telemetry know."""

import json
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness.live import rows as module
from harness.live.rows import LiveRows
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.watch import NextFault, Progress
from tests.harness.plans import a_plan

SECOND = 1_000_000_000
FAULT = Fault(
    kind=FaultKind.STOP,
    target=Target.BROKER,
    at=Moment(unit=Unit.SECOND, value=4.0),
    until=Moment(unit=Unit.AFTER, value=3.0),
    parts=("broker",),
)


class Clock:
    """CLOCK_MONOTONIC as a number that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic_ns(self) -> int:
        return int(self.now_s * SECOND)


@pytest.fixture
def clock() -> Any:
    found = Clock()
    with mock.patch.object(module, "time", found):
        yield found


def live(folder: Path, *samples: dict[str, Any], faults: tuple[Fault, ...] = ()) -> LiveRows:
    return LiveRows(a_plan(duration_s=10.0, warm_up_s=2.0, faults=faults), folder, lambda: samples)


def test_a_row_is_written_once_a_second(tmp_path: Path, clock: Clock) -> None:
    """More calls within a second write no more rows. After a pause the next call writes one row, not all the missed
    ones."""
    with live(tmp_path) as found:
        found.enter("measure")
        for now_s in (100.0, 100.3, 100.9, 101.0, 101.5, 105.2, 105.4, 106.3):
            clock.now_s = now_s
            found.write(Progress(sent=int(now_s)))
    written = [json.loads(line) for line in (tmp_path / "live.jsonl").read_text().splitlines()]
    assert [row["at_ns"] / SECOND for row in written] == [100.0, 101.0, 105.2, 106.3]
    assert {row["phase"] for row in written} == {"measure"}
    assert written[-1]["sent"] == 106


def test_the_time_left_is_known_once_the_schedule_has_begun(tmp_path: Path, clock: Clock) -> None:
    """The time left runs until the last message is due: the warm-up and the measured window."""
    with live(tmp_path) as found:
        assert found.complete(Progress()).remaining_s is None
        found.begin_schedule(101 * SECOND)
        clock.now_s = 104.0
        done = found.complete(Progress())
        assert (done.elapsed_s, done.remaining_s) == (4.0, 9.0)
        clock.now_s = 200.0
        assert found.complete(Progress()).remaining_s == 0.0


def test_the_next_fault_counts_down_to_its_beginning_then_to_its_healing(tmp_path: Path, clock: Clock) -> None:
    """The plan gives the time of a fault in seconds of the measured window, which begins after the warm-up."""
    with live(tmp_path, faults=(FAULT,)) as found:
        assert found.complete(Progress()).fault is None
        found.begin_schedule(100 * SECOND)
        assert found.complete(Progress()).fault == NextFault(what="stop broker", in_s=6.0)
        clock.now_s = 107.0
        assert found.complete(Progress()).fault == NextFault(what="stop broker: healed", in_s=2.0)
        clock.now_s = 110.0
        assert found.complete(Progress()).fault is None


def test_a_fault_until_all_is_posted_has_no_countdown(tmp_path: Path, clock: Clock) -> None:
    """The time of the last answer is not known in advance."""
    import dataclasses

    fault = dataclasses.replace(FAULT, until=Moment(unit=Unit.POSTED))
    with live(tmp_path, faults=(fault,)) as found:
        found.begin_schedule(100 * SECOND)
        clock.now_s = 107.0
        assert found.complete(Progress()).fault == NextFault(what="stop broker: healed", in_s=None)


def test_cores_are_what_two_samples_differ_by(tmp_path: Path) -> None:
    """The load generator is its workers and its publisher. A process that is in one sample only is not counted."""

    def sample(at_s: int, busy_s: float, **cpu_s: float) -> dict[str, Any]:
        processes = {name.replace("_", "-"): {"cpu_s": value} for name, value in cpu_s.items()}
        return {"at_ns": at_s * SECOND, "machine": {"busy_s": busy_s}, "processes": processes}

    old = sample(1, 10.0, worker_00=1.0, publisher=2.0, server_1=5.0)
    new = sample(3, 12.0, worker_00=1.5, publisher=2.1, server_1=9.0, worker_01=7.0)
    with live(tmp_path, old, new) as found:
        done = found.complete(Progress())
        assert (done.generator_cores, done.machine_cores) == (0.3, 1.0)
    (tmp_path / "one").mkdir()
    with live(tmp_path / "one", new) as found:
        assert found.complete(Progress()).generator_cores is None


def test_rows_use_the_system_clock(tmp_path: Path) -> None:
    """The rows use the clock of the recording: CLOCK_MONOTONIC."""
    with live(tmp_path) as found:
        found.write(Progress())
    row = json.loads((tmp_path / "live.jsonl").read_text())
    assert abs(row["at_ns"] - time.monotonic_ns()) < 60 * SECOND
