"""Time without samples, and measurements that could not be made."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.checks.run import resources
from harness.checks.run.gaps import longest_gap_ns
from harness.model.finding import Bias, Status
from harness.recording.reader import Recording
from tests.harness.recordings import MS, START_NS, HandMade, finding

SECOND = 1_000 * MS


def test_the_ends_of_the_window_count() -> None:
    """A gap is between two samples, before the first one or after the last one. Samples outside the window do not close
    a gap."""
    at_ns = np.array([-5, 3, 4, 9, 30])
    assert longest_gap_ns(at_ns, 0, 10) == 5
    assert longest_gap_ns(at_ns, 0, 20) == 11
    assert longest_gap_ns(at_ns, -4, 5) == 7
    assert longest_gap_ns(at_ns, 10, 25) == 15


def watched(folder: Path, keep: Callable[[float], bool], what: str) -> tuple[HandMade, Recording]:
    """Twenty seconds with one sample a second. The samples of ``what`` are only those for which ``keep`` returns
    true."""
    run = HandMade(changes={"duration_s": 20.0, "rate_hz": 15.0})
    for _ in range(300):
        run.post(0)
    recording = run.recording(folder)
    sample = recording.telemetry[0]
    telemetry = []
    for second in range(21):
        parts = dict(sample)
        if what in ("all", "machine") and not keep(second):
            del parts["machine"]
        if what in ("all", "worker-00", "publisher") and not keep(second):
            parts["processes"] = {name: values for name, values in sample["processes"].items() if name != what}
        if what != "samples" or keep(second):
            telemetry.append({**parts, "at_ns": START_NS + second * SECOND})
    heartbeats = dict(recording.heartbeats)
    if what.startswith("heartbeat-"):
        rows = heartbeats[what.removeprefix("heartbeat-")]
        kept = [keep((at_ns - START_NS) / SECOND) for at_ns in rows["at_ns"]]
        heartbeats[what.removeprefix("heartbeat-")] = rows[kept]
    return run, dataclasses.replace(recording, telemetry=tuple(telemetry), heartbeats=heartbeats)


@pytest.mark.parametrize(
    "what", ["samples", "machine", "worker-00", "publisher", "heartbeat-worker-00", "heartbeat-publisher"]
)
@pytest.mark.parametrize(
    ("keep", "status"),
    [
        (lambda second: True, Status.PASS),
        (lambda second: second >= 17, Status.UNKNOWN),
        (lambda second: second <= 3, Status.UNKNOWN),
        (lambda second: not 5 < second < 12, Status.UNKNOWN),
        (lambda second: not 5 < second < 9, Status.PASS),
        (lambda second: False, Status.UNKNOWN),
    ],
)
def test_time_without_samples_is_found(
    tmp_path: Path, what: str, keep: Callable[[float], bool], status: Status
) -> None:
    """Samples are missing at the beginning, at the end or in the middle: of all sources, of one process, or of one
    heartbeat."""
    run, recording = watched(tmp_path, keep, what)
    with mock.patch.object(HandMade, "recording", return_value=recording):
        found = finding(run.verdict(tmp_path), "gaps")
    assert found.status is status
    assert found.bias is (None if status is Status.PASS else Bias.OPTIMISTIC)


def test_a_measurement_that_cannot_be_made_is_told_by_name(tmp_path: Path) -> None:
    """The summary has its name, and the examples have its reason."""
    run = HandMade()
    run.post(0)
    assert finding(run.verdict(tmp_path), "not-measured").status is Status.PASS
    with mock.patch.object(resources, "servers", side_effect=IndexError("planted")):
        found = finding(run.verdict(tmp_path), "not-measured")
    assert (found.status, found.bias, found.summary) == (Status.UNKNOWN, Bias.OPTIMISTIC, "not measured: servers")
    assert found.examples == ("servers: IndexError: planted",)
