"""What a run shows about the claims and decisions of the architecture, from figures at the limits and minimal
findings."""

from dataclasses import replace
from typing import Any

import pytest

from harness.checks.run.claims import CLAIMS, compare, decide
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.finding import Finding, Kind, Status
from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.steps import StepLatencies
from tests.harness.checks.sweep.test_scaling import a_finding
from tests.harness.plans import a_plan
from tests.harness.report.verdicts import measurements

WRITE_PATH = ("acknowledged-not-stored", "delivered-not-stored", "commit-order", "seq-gapless")
BACKPLANE = ("lost", "duplicate-visible", "order", "phantom", "latency_ms.p99")


def figures(p50_ms: float | None, p99_ms: float | None) -> Percentiles:
    return Percentiles(count=100, p50_ms=p50_ms, p99_ms=p99_ms)


def with_steps(**changes: Any) -> RunMeasurements:
    steps = replace(StepLatencies(total=figures(1, 2)), **changes)
    return replace(measurements(), steps=steps)


def claimed(measured: RunMeasurements, step: str) -> Claim:
    return next(claim for claim in compare(measured) if claim.step == step)


def passing(*checks: str) -> list[Finding]:
    return [a_finding(check, Kind.SAFETY) for check in checks]


def of_write_path(findings: list[Finding], measured: RunMeasurements | None = None, **plan: Any) -> Decision:
    return decide(a_plan(**plan), findings, measured or measurements())[0]


def of_backplane(findings: list[Finding], **plan: Any) -> Decision:
    return decide(a_plan(**plan), findings, measurements())[1]


def a_fault(target: Target, kind: FaultKind) -> Fault:
    return Fault(kind=kind, target=target, at=Moment(unit=Unit.SECOND, value=1), until=Moment(unit=Unit.AFTER, value=1))


@pytest.mark.parametrize(
    ("p50", "p99", "outcome"),
    [
        (10, 49.9, Outcome.SUPPORTED),
        (10, 50.0, Outcome.NOT_REACHED),
        (49.9, 90, Outcome.NOT_REACHED),
        (50.0, 90, Outcome.CONTRADICTED),
        (None, None, Outcome.NOT_REACHED),
    ],
)
def test_a_claim_is_decided_by_the_p99_below_or_the_median_at_its_limit(
    p50: float | None, p99: float | None, outcome: Outcome
) -> None:
    """The claim is that the commit takes less than 50 ms."""
    claim = claimed(with_steps(commit=figures(p50, p99)), "commit")
    assert claim.status is outcome
    assert claim.measured == (None if p99 is None else {"p50_ms": p50, "p99_ms": p99})


@pytest.mark.parametrize(
    ("p50", "p99", "bound", "outcome"),
    [
        (0.1, 0.8, 0.1, Outcome.SUPPORTED),
        (0.1, 0.8, 0.25, Outcome.NOT_REACHED),
        (1.2, 2.0, 0.1, Outcome.CONTRADICTED),
        (1.2, 2.0, 0.25, Outcome.NOT_REACHED),
    ],
)
def test_the_error_of_the_clocks_counts_against_either(p50: float, p99: float, bound: float, outcome: Outcome) -> None:
    """The error of the clocks counts for a step from one host to another. The publication begins and ends on one host,
    so it does not count there."""
    measured = with_steps(fan_out=figures(p50, p99), publish=figures(p50, p99), clock_bound_ms=bound)
    assert claimed(measured, "fan_out").status is outcome
    decided = Outcome.SUPPORTED if p99 < 1 else Outcome.CONTRADICTED
    assert claimed(measured, "publish").status is decided


def test_the_total_is_known_without_traces() -> None:
    """Both ends of the total are on the load generator. The P99 of all deliveries counts, and clocks have no error."""
    found = compare(replace(measurements(), steps=None, latency=figures(20, 39)))
    assert len(found) == len(CLAIMS)
    assert {claim.status for claim in found if claim.step == "total"} == {Outcome.SUPPORTED}
    assert {(claim.status, claim.measured) for claim in found if claim.step != "total"} == {(Outcome.NOT_REACHED, None)}


def test_the_write_path_is_supported_by_all_its_checks_and_by_no_fewer() -> None:
    """With a missing or undecided check the decision is not reached, and a failed one contradicts it. Other checks do
    not count."""
    late = a_finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL)
    whole = of_write_path([*passing(*WRITE_PATH), late])
    assert whole.status is Outcome.SUPPORTED
    assert "34.6 ms at its P99" in whole.evidence
    assert whole.evidence.endswith("No fault was injected in this run.")
    assert of_write_path(passing(*WRITE_PATH[1:])).status is Outcome.NOT_REACHED
    doubt = a_finding(WRITE_PATH[0], Kind.SAFETY, Status.UNKNOWN)
    assert of_write_path([*passing(*WRITE_PATH[1:]), doubt]).status is Outcome.NOT_REACHED
    broken = a_finding(WRITE_PATH[0], Kind.SAFETY, Status.FAIL)
    assert of_write_path([*passing(*WRITE_PATH[1:]), broken]).status is Outcome.CONTRADICTED
    nothing = of_write_path([], replace(measurements(), steps=None))
    assert (nothing.status, nothing.evidence.partition(".")[0]) == (Outcome.NOT_REACHED, "nothing was checked")


def test_with_a_fault_the_promise_goes_further() -> None:
    """With a fault nothing may be lost, and while the broker is away acknowledgements must continue. After a restart of
    the broker the second is not required."""
    away = a_fault(Target.BROKER, FaultKind.STOP)
    every = passing(*WRITE_PATH, "lost", "ack-during-outage")
    assert of_write_path(every, faults=(away,)).status is Outcome.SUPPORTED
    assert of_write_path(every[:-1], faults=(away,)).status is Outcome.NOT_REACHED
    for other in (a_fault(Target.BROKER, FaultKind.RESTART), a_fault(Target.SERVER, FaultKind.STOP)):
        assert of_write_path(every[:-1], faults=(other,)).status is Outcome.SUPPORTED
        assert of_write_path(every[:-2], faults=(other,)).status is Outcome.NOT_REACHED
    assert of_write_path(every, faults=(away,)).evidence.endswith(f"Faults: {away}.")


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (Status.FAIL, Outcome.SUPPORTED, "acknowledged-not-stored, with acknowledgements of 9.1 ms"),
        (Status.PASS, Outcome.NOT_REACHED, "no acknowledged message was lost in this run, with"),
        (Status.UNKNOWN, Outcome.NOT_REACHED, "it is not known"),
        (None, Outcome.NOT_REACHED, "it is not known"),
    ],
)
def test_another_write_path_supports_the_decision_only_by_losing(
    status: Status | None, outcome: Outcome, words: str
) -> None:
    """A single run without a loss decides nothing."""
    findings = [] if status is None else [a_finding("acknowledged-not-stored", Kind.SAFETY, status)]
    found = of_write_path(findings, write_path="broker-first")
    assert found.status is outcome
    assert words in found.evidence
    silent = of_write_path(findings, replace(measurements(), acknowledgement=None), write_path="broker-first")
    assert "with acknowledgements" not in silent.evidence


def test_the_backplane_is_judged_by_safety_and_the_limit() -> None:
    """With faults the limit is that of live deliveries. A run with one server or with another backplane is no evidence
    for the decided backplane."""
    whole = passing(*BACKPLANE)
    found = of_backplane(whole)
    assert found.status is Outcome.SUPPORTED
    assert "fan-out P50 0.50 ms, P99 6.4 ms" in found.evidence
    late = [*whole[:-1], a_finding(BACKPLANE[-1], Kind.PERFORMANCE, Status.FAIL)]
    assert of_backplane(late).status is Outcome.CONTRADICTED
    fault = a_fault(Target.SERVER, FaultKind.STOP)
    assert of_backplane(whole, faults=(fault,)).status is Outcome.NOT_REACHED
    live = [*whole[:-1], *passing("live_latency_ms.p99")]
    assert of_backplane(live, faults=(fault,)).status is Outcome.SUPPORTED
    for plan in ({"servers": 1}, {"backplane": "mesh"}):
        assert of_backplane(late, **plan).status is Outcome.NOT_REACHED
    assert "1 server(s) on the backplane redis" in of_backplane(whole, servers=1).evidence


def test_what_an_external_cluster_uses_is_only_said() -> None:
    """The harness did not start the cluster, so it cannot know its backplane."""
    assert "external cluster says" in of_backplane(passing(*BACKPLANE), environment="external").evidence
    assert "external cluster says" not in of_backplane(passing(*BACKPLANE)).evidence
