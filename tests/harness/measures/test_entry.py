"""Lines of the history, made from verdicts."""

from dataclasses import replace

from harness.measures.entry import capacity_entry, entry_of
from harness.model.capacity import Found
from harness.model.finding import Status
from harness.model.history import Measured
from tests.harness import searches
from tests.harness.report import verdicts


def test_a_line_says_what_decides_a_comparison() -> None:
    """The line has the safety status by check, the failed checks, the keys, the time, and whether the run was
    complete."""
    entry = entry_of(verdicts.failed(), verdicts.MACHINE, verdicts.EVENTS, run="scenario-a/x", labels={"branch": "b"})
    assert entry.safety["lost"] is Status.FAIL
    assert "lost" in entry.failed
    assert entry.began == "2026-01-01T00:00:00.000Z"
    assert entry.complete
    assert entry.labels == {"branch": "b"}


def test_a_validity_check_that_did_not_pass_is_a_doubt() -> None:
    """The figures of such a run are not used."""
    verdict = verdicts.passed()
    findings = tuple(
        replace(finding, status=Status.UNKNOWN) if finding.check == "steal" else finding for finding in verdict.findings
    )
    entry = entry_of(replace(verdict, findings=findings), verdicts.MACHINE, verdicts.EVENTS, run="x")
    assert entry.doubts == ("steal",)
    assert not entry.usable


def test_the_whole_of_a_sweep_has_no_doubts() -> None:
    """The runs of a sweep have their own lines. A sweep on one host never passes every validity check."""
    verdict = verdicts.failed()
    assert entry_of(verdict, verdicts.MACHINE, verdicts.EVENTS, run="x").doubts
    assert entry_of(verdict, verdicts.MACHINE, verdicts.EVENTS, run="x", kind="sweep").doubts == ()


def test_a_run_without_an_end_is_not_complete() -> None:
    """The run was killed or the machine failed, so its figures cover only a part of the run."""
    entry = entry_of(verdicts.passed(), verdicts.MACHINE, verdicts.EVENTS[:-1], run="x")
    assert not entry.complete
    assert not entry.usable


def test_searches_of_one_number_are_comparable() -> None:
    """The varied number is not part of the plan, but the limit is. The measure is the load that held."""
    found = replace(searches.a_capacity(), found=Found.CAPACITY, value=500, broke_at=600)
    entry = capacity_entry(found, verdicts.MACHINE, verdicts.EVENTS, run="x")
    other = replace(found, plan=replace(found.plan, plan=replace(found.plan.plan, rate_hz=7.0)))
    assert capacity_entry(other, verdicts.MACHINE, verdicts.EVENTS, run="y").plan_key == entry.plan_key
    stricter = replace(found, plan=replace(found.plan, limit_ms=1.0))
    assert capacity_entry(stricter, verdicts.MACHINE, verdicts.EVENTS, run="z").plan_key != entry.plan_key
    assert entry.measures["capacity"] == Measured(value=500.0, low=500.0, high=600.0)


def test_a_search_without_a_find_has_no_measure() -> None:
    """A lower bound is not a capacity."""
    bound = replace(searches.a_capacity(), found=Found.LOWER_BOUND, value=500)
    assert capacity_entry(bound, verdicts.MACHINE, verdicts.EVENTS, run="x").measures == {}
