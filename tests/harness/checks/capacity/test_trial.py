"""What the verdict of a run says about its load."""

from dataclasses import replace

import pytest

from harness.checks.capacity.trial import DISTURBANCES, GENERATOR_CHECKS, result_of, step_of
from harness.checks.registry import CHECKS
from harness.model.capacity import Exhaustion, Resource, TrialResult
from harness.model.finding import Bias, Finding, Kind, Status, Verdict, worst
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.steps import StepLatencies
from tests.harness.report import verdicts


def finding(check: str, kind: Kind, status: Status, summary: str = "as it is") -> Finding:
    bias = Bias.PESSIMISTIC if kind is Kind.VALIDITY and status is not Status.PASS else None
    return Finding(check=check, kind=kind, status=status, summary=summary, measured=None, expected=None, bias=bias)


def judged(*findings: Finding) -> Verdict:
    return replace(verdicts.passed(), findings=findings, status=worst(one.status for one in findings))


HELD = judged(finding("latency_ms.p99", Kind.PERFORMANCE, Status.PASS, "P99 is 40 ms, below 100 ms"))
BROKE = judged(finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL, "P99 is 400 ms"))
LATE = judged(
    finding("latency_ms.p99", Kind.PERFORMANCE, Status.UNKNOWN),
    finding("loop-lag", Kind.VALIDITY, Status.UNKNOWN, "P99 of the lag: 30 ms"),
)
DISTURBED = judged(
    finding("latency_ms.p99", Kind.PERFORMANCE, Status.UNKNOWN),
    finding("loop-lag", Kind.VALIDITY, Status.UNKNOWN, "P99 of the lag: 30 ms"),
    finding("foreign-cpu", Kind.VALIDITY, Status.UNKNOWN, "others used 0.7 cores"),
)


@pytest.mark.parametrize(
    ("verdict", "result", "word"),
    [
        (HELD, TrialResult.HELD, "every delivery arrived; P99 is 40 ms"),
        (BROKE, TrialResult.BROKE, "P99 is 400 ms"),
        (LATE, TrialResult.GENERATOR, "P99 of the lag: 30 ms"),
        (DISTURBED, TrialResult.UNDECIDED, "others used 0.7 cores"),
    ],
)
def test_the_verdict_decides(verdict: Verdict, result: TrialResult, word: str) -> None:
    """A load held with PASS and broke with FAIL. With UNKNOWN the load generator is the limit if one of its own checks
    did not pass, unless something outside the run disturbed it."""
    step = step_of(verdict, number=3, value=1_000, run="runs/03", cores=64)
    assert result_of(verdict) is step.result is result
    assert word in step.because
    assert (step.number, step.value, step.p99_ms) == (3, 1_000, verdicts.measurements().latency.p99_ms)


def test_a_load_that_held_exhausted_nothing() -> None:
    """Only a load that did not hold has an exhausted resource. If the load generator lags although cores are free, the
    load generator is that resource."""
    assert step_of(HELD, number=1, value=1, run="", cores=64).exhaustion is None
    run = replace(verdicts.measurements(), steps=None, servers=())
    late = step_of(replace(LATE, run=run), number=1, value=1, run="", cores=64).exhaustion
    assert late == Exhaustion(resource=Resource.GENERATOR, because="it was too slow, although cores were free")


def test_where_the_load_generator_gave_out_nothing_else_is_charged() -> None:
    """Commits took long too, but the load was not the intended one. So the load generator is the exhausted resource."""

    def p99(value_ms: float) -> Percentiles:
        return Percentiles(count=1_000, p99_ms=value_ms)

    run = replace(verdicts.measurements(), servers=(), steps=StepLatencies(commit=p99(90), total=p99(100)))
    found = step_of(replace(LATE, run=run), number=1, value=1, run="", cores=64).exhaustion
    assert found is not None
    assert found.resource is Resource.GENERATOR
    assert found.because.startswith("it was too slow; also: the P99 of the step commit is 90 ms")


def test_the_named_checks_exist() -> None:
    """The names are those of the registry."""
    assert set(CHECKS.names) >= GENERATOR_CHECKS | DISTURBANCES


def test_a_generator_that_is_full_breaks_nothing_but_safety() -> None:
    """A late delivery is not charged to the system while the load generator is full. A missing delivery is."""
    measured = replace(verdicts.measurements(), publisher=replace(verdicts.measurements().publisher, cpu_cores=0.99))
    late = step_of(replace(BROKE, run=measured), number=1, value=1, run="", cores=64)
    assert late.result is TrialResult.GENERATOR
    assert late.exhaustion is not None
    assert late.exhaustion.resource is Resource.GENERATOR
    assert "P99 is 400 ms" in late.because
    lost = judged(finding("lost", Kind.SAFETY, Status.FAIL, "3 deliveries are lost"))
    assert step_of(replace(lost, run=measured), number=1, value=1, run="", cores=64).result is TrialResult.BROKE
