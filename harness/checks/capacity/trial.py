"""The result of one judged run for its load: whether it held, and if not, which resource was exhausted."""

from dataclasses import replace

from harness.checks.capacity.exhaustion import cores_used, exhaustion
from harness.model.capacity import CapacityStep, Exhaustion, Resource, TrialResult
from harness.model.finding import Finding, Kind, Status, Verdict
from harness.model.measurements.delivery import DeliveryCounts

GENERATOR_CHECKS = frozenset({"send-lateness", "loop-lag", "generator-cpu", "throughput", "complete-rows"})
"""Validity checks that do not pass if the load generator is too slow."""
DISTURBANCES = frozenset({"foreign-cpu", "steal", "disk"})
"""Validity checks that do not pass where something outside the run took what it needed: then that is the reason, also
where the load generator fell behind for it."""


def step_of(verdict: Verdict, *, number: int, value: int, run: str, cores: int) -> CapacityStep:
    """The step that ``verdict`` judged; ``cores`` is how many its machine has."""
    result = result_of(verdict)
    measured = verdict.run
    because = _because(verdict, result)
    found = exhaustion(verdict, cores) if result in (TrialResult.BROKE, TrialResult.GENERATOR) else None
    if result is TrialResult.BROKE and found and found.resource is Resource.GENERATOR and not _is_unsafe(verdict):
        # It is not known how much latency the generator added, so the system may not have been the limit.
        result, because = TrialResult.GENERATOR, f"{found.because}, so this is not decided: {because}"
    if result is TrialResult.GENERATOR:
        found = _generator(found)
    step = CapacityStep(number=number, value=value, result=result, because=because, run=run, exhaustion=found)
    if measured is None:
        return step
    counted, latency = measured.delivery.total if measured.delivery else DeliveryCounts(), measured.latency
    return replace(
        step,
        expected=counted.expected,
        missing=max(0, counted.expected - counted.delivered),
        deliveries_hz=measured.rates.deliveries_hz,
        p50_ms=latency.p50_ms,
        p99_ms=latency.p99_ms,
        p99_low_ms=latency.p99_low_ms,
        p99_high_ms=latency.p99_high_ms,
        cores=cores_used(measured),
    )


def _generator(found: Exhaustion | None) -> Exhaustion:
    """The load generator was exhausted; ``found`` is what else was full or slow."""
    if found is None or found.resource is Resource.NOT_FOUND:
        return Exhaustion(resource=Resource.GENERATOR, because="it was too slow, although cores were free")
    beside = "" if found.resource is Resource.GENERATOR else "it was too slow; also: "
    return Exhaustion(resource=Resource.GENERATOR, because=f"{beside}{found.because}")


def result_of(verdict: Verdict) -> TrialResult:
    """PASS held and FAIL broke. UNKNOWN is the load generator's where one of its own checks did not pass, and nothing
    from outside disturbed the run."""
    if verdict.status is Status.PASS:
        return TrialResult.HELD
    if verdict.status is Status.FAIL:
        return TrialResult.BROKE
    doubts = {finding.check for finding in _doubts(verdict)}
    if doubts & DISTURBANCES:
        return TrialResult.UNDECIDED
    return TrialResult.GENERATOR if doubts & GENERATOR_CHECKS else TrialResult.UNDECIDED


def _is_unsafe(verdict: Verdict) -> bool:
    """Whether a delivery was wrong or missing: the load generator cannot be the cause of that."""
    return any(one.kind is Kind.SAFETY and one.status is Status.FAIL for one in verdict.findings)


def _doubts(verdict: Verdict) -> list[Finding]:
    return [one for one in verdict.findings if one.kind is Kind.VALIDITY and one.status is not Status.PASS]


def _because(verdict: Verdict, result: TrialResult) -> str:
    """The summary of the finding that decided."""
    if result is TrialResult.HELD:
        latency = next((one.summary for one in verdict.findings if one.check == "latency_ms.p99"), "")
        return f"every delivery arrived; {latency}" if latency else "every delivery arrived"
    if result is TrialResult.BROKE:
        return next(one.summary for one in verdict.findings if one.status is Status.FAIL)
    doubts = _doubts(verdict)
    decisive = [
        one for one in doubts if one.check in (DISTURBANCES if result is TrialResult.UNDECIDED else GENERATOR_CHECKS)
    ]
    undecided = decisive or doubts or [one for one in verdict.findings if one.status is Status.UNKNOWN]
    return "; ".join(one.summary for one in undecided[:3]) or "the verdict does not say why"
