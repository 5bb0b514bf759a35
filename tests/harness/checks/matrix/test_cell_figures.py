"""What one cell contributes to its matrix, from a verdict and a recording of a few rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checks.matrix.cell_figures import RanCell, cell_figures
from harness.model.expectation import Expectation
from harness.model.finding import Finding, Kind, Status, Verdict
from harness.model.matrix_plan import Cell, System
from harness.recording.reader import Recording
from tests.harness.checks.sweep.test_scaling import a_finding
from tests.harness.plans import a_plan
from tests.harness.recordings import HandMade
from tests.harness.report import verdicts

CELL = Cell(
    order=3,
    system=System(backplane="redis", write_path="db-first"),
    scenario="scenario-a",
    servers=2,
    repetition=1,
    plan=a_plan(),
    predicted_s=9.0,
)
LIVE = Expectation(measure="live_latency_ms", statistic="p99", limit_ms=100)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    run = HandMade()
    run.post(0)
    return run.recording(tmp_path)


def judged(recording: Recording, *findings: Finding, **changes: Any) -> RanCell:
    """The cell with the figures of `verdicts.passed` and these findings."""
    made = verdicts.passed()
    assert made.run is not None
    verdict = replace(made, findings=findings, run=replace(made.run, **changes))
    return RanCell(cell=CELL, verdict=verdict, recording=recording)


def of_status(status: Status, *findings: Finding) -> Verdict:
    return replace(verdicts.passed(), status=status, findings=findings)


def test_a_cell_that_cannot_run_has_no_folder_and_its_reason() -> None:
    """The reason of the plan comes before that of the run."""
    found = cell_figures(RanCell(cell=replace(CELL, plan=None, because="needs a broker"), why="unused"))
    assert (found.run, found.because, found.status, found.safety) == (
        "",
        "needs a broker",
        Status.UNKNOWN,
        Status.UNKNOWN,
    )


@pytest.mark.parametrize("part", ["verdict", "run", "recording"])
def test_a_cell_that_left_a_part_only_has_no_figures(recording: Recording, part: str) -> None:
    """Without a verdict, measurements or a recording only the reason is known."""
    whole = replace(judged(recording), why="it died")
    assert whole.verdict is not None
    broken = {
        "verdict": replace(whole, verdict=None),
        "run": replace(whole, verdict=replace(whole.verdict, run=None)),
        "recording": replace(whole, recording=None),
    }[part]
    found = cell_figures(broken)
    assert (found.run, found.because, found.status) == ("003-redis-scenario-a-2x1", "it died", Status.UNKNOWN)
    assert (found.latency, found.delivery, found.messages_hz) == (None, None, None)


def test_the_figures_are_those_of_the_run(recording: Recording) -> None:
    """Deliveries of all phases are summed: 500 + 5 000 + 60 000 messages to 20 clients each."""
    found = cell_figures(judged(recording))
    assert found.delivery is not None
    assert found.delivery.delivered == 65_500 * 20
    assert found.latency is not None
    assert found.latency.p99_ms == 61.8
    assert found.acknowledgement is not None
    assert found.acknowledgement.p99_ms == 41.2
    assert found.fan_out is not None
    assert found.fan_out.p99_ms == 6.4
    assert (found.recovery_s, found.not_stored) == (None, None)
    empty = cell_figures(judged(recording, steps=None, delivery=None))
    assert (empty.fan_out, empty.delivery) == (None, None)


def test_where_live_deliveries_are_limited_their_latency_counts(recording: Recording) -> None:
    """Only a plan with a limit for live deliveries uses their latency. If it was not measured, the latency of all
    deliveries is used."""
    live = verdicts.percentiles(1, 2, 3, 4)
    plain = judged(recording, live_latency=live)
    assert plain.verdict is not None
    assert plain.verdict.run is not None
    assert cell_figures(plain).latency == plain.verdict.run.latency
    limited = replace(plain, verdict=replace(plain.verdict, plan=replace(plain.verdict.plan, expectations=(LIVE,))))
    assert cell_figures(limited).latency == live
    unmeasured = judged(recording)
    assert unmeasured.verdict is not None
    verdict = replace(unmeasured.verdict, plan=replace(unmeasured.verdict.plan, expectations=(LIVE,)))
    assert cell_figures(replace(unmeasured, verdict=verdict)).latency == plain.verdict.run.latency


def test_the_reason_is_the_first_finding_that_decided(recording: Recording) -> None:
    """A FAIL is explained by a finding that failed, not by an earlier UNKNOWN. A PASS needs no reason."""
    doubt, first, second = (
        a_finding(name, Kind.SAFETY, status)
        for name, status in (("doubt", Status.UNKNOWN), ("first", Status.FAIL), ("second", Status.FAIL))
    )
    ran = RanCell(cell=CELL, verdict=of_status(Status.FAIL, doubt, first, second), recording=recording, why="exit 1")
    assert cell_figures(ran).because == "first"
    passed = replace(ran, verdict=of_status(Status.PASS, a_finding("lost", Kind.SAFETY)))
    assert cell_figures(replace(passed, why="")).because == ""


def test_safety_is_the_worst_safety_finding_and_unknown_without_one(recording: Recording) -> None:
    """A late delivery does not make a cell unsafe. Without a safety finding a cell is not safe."""
    late = a_finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL)
    sound, lost = a_finding("order", Kind.SAFETY), a_finding("lost", Kind.SAFETY, Status.FAIL)
    assert cell_figures(judged(recording, late, sound)).safety is Status.PASS
    assert cell_figures(judged(recording, sound, lost)).safety is Status.FAIL
    assert cell_figures(judged(recording, late)).safety is Status.UNKNOWN


@pytest.mark.parametrize(("measured", "expected"), [(3, 3), (0, 0), (None, None), ({"missing": 3}, None)])
def test_what_was_not_stored_is_counted_by_its_own_check(recording: Recording, measured: Any, expected: Any) -> None:
    """Without an audit the count is None, because zero would be a claim."""
    other = replace(a_finding("delivered-not-stored", Kind.SAFETY), measured=9)
    found = replace(a_finding("acknowledged-not-stored", Kind.SAFETY), measured=measured)
    assert cell_figures(judged(recording, other, found)).not_stored == expected


def test_the_memory_of_the_broker_is_its_peak_in_the_measured_window(recording: Recording) -> None:
    """A sample without a broker is ignored. If no sample has a broker, its memory is not known."""
    first, last = recording.telemetry
    assert recording.telemetry[0]["processes"]["broker"]["rss_bytes"] == 1
    peak = {**first, "processes": {**first["processes"], "broker": {"cpu_s": 0.0, "rss_bytes": 700}}}
    before = {**peak, "at_ns": 0, "processes": {"broker": {"cpu_s": 0.0, "rss_bytes": 9_000}}}
    found = cell_figures(judged(replace(recording, telemetry=(before, peak, last))))
    assert found.broker_rss_bytes == 700
    none = tuple({**sample, "processes": {}} for sample in recording.telemetry)
    assert cell_figures(judged(replace(recording, telemetry=none))).broker_rss_bytes is None


def test_the_start_lasts_until_clients_connect(recording: Recording) -> None:
    """2.346 s are rounded to two decimals. If a recording lacks either phase, the duration is not known."""
    start = {"event": "phase", "name": "start", "at_ns": 1_000_000_000}
    connect = {"event": "phase", "name": "connect", "at_ns": 3_346_000_000}
    probe = {"event": "probe", "name": "connect", "at_ns": 9_000_000_000}
    both = replace(recording, events=(start, connect, probe))
    assert cell_figures(judged(both)).start_s == 2.35
    for alone in (start, connect):
        assert cell_figures(judged(replace(recording, events=(alone, probe)))).start_s is None
