"""Heartbeats are compared with times of other hosts, so their times are converted to one clock."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.checks.evidence.heartbeats import heartbeats_of
from harness.checks.evidence.host_clocks import HostClocks
from harness.model.clock import Clocks, HostClock
from harness.recording.reader import Recording
from tests.harness.recordings import HandMade, finding, measured

AHEAD_NS = 5_000_000_000


def test_heartbeats_of_another_host_are_shifted_to_the_clock_of_the_harness(tmp_path: Path) -> None:
    """By clocks.json the clock of the other host is 5 s ahead. The recording itself is not changed."""
    recording = HandMade().recording(tmp_path)
    assert recording.clocks is not None
    elsewhere = HostClock(host="elsewhere", offset_ns=-AHEAD_NS, bound_ns=0, found="written by hand")
    files = {**recording.clocks.files, "heartbeat-worker-00": "elsewhere"}
    clocks = HostClocks(replace(recording.clocks, hosts=(*recording.clocks.hosts, elsewhere), files=files))
    found = heartbeats_of(recording, clocks)
    before = recording.heartbeats["worker-00"]["at_ns"]
    assert np.array_equal(found["worker-00"]["at_ns"], before - AHEAD_NS)
    assert found["publisher"] is recording.heartbeats["publisher"]
    assert recording.heartbeats["worker-00"]["at_ns"][0] == before[0]


def test_without_clocks_the_times_stay_as_they_are(tmp_path: Path) -> None:
    """The check `clock` reports that they cannot be compared."""
    recording = HandMade().recording(tmp_path)
    assert heartbeats_of(recording, HostClocks(Clocks()))["worker-00"] is recording.heartbeats["worker-00"]


def test_a_worker_on_another_host_has_its_lag_in_the_measured_window(tmp_path: Path) -> None:
    """With the times of the other clock the heartbeats would be outside the window, and the lag would be unknown."""

    class Elsewhere(HandMade):
        def _clocks(self) -> Clocks:
            known = HandMade._clocks(self)
            host = HostClock(host="elsewhere", offset_ns=-100 * AHEAD_NS, bound_ns=0, found="written by hand")
            files = {**known.files, "heartbeat-worker-00": "elsewhere"}
            return replace(known, hosts=(*known.hosts, host), files=files)

        def recording(self, folder: Path) -> Recording:
            made = HandMade.recording(self, folder)
            rows = made.heartbeats["worker-00"].copy()
            rows["at_ns"] += 100 * AHEAD_NS
            return replace(made, heartbeats={**made.heartbeats, "worker-00": rows})

    run, plain = Elsewhere(), HandMade()
    run.post(0)
    plain.post(0)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "loop-lag").status == "pass"
    assert finding(verdict, "gaps") == finding(plain.verdict(tmp_path), "gaps")
    assert measured(verdict).workers[0].lag_p99_ms is not None
