"""The architecture's claims beside the measured figures, and the evidence for the decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.environment import ENVIRONMENTS
from harness.model.fault import CARRIERS, FaultKind
from harness.model.finding import Finding, Status
from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.plan import Plan

SOURCE = "the architecture's own figures"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """``step`` of `StepLatencies` stays below ``limit_ms``."""

    claim: str
    step: str
    limit_ms: float


CLAIMS = (
    _Limit(claim="end to end P99 below 100 ms", step="total", limit_ms=100),
    _Limit(claim="step 2, commit: 20–30 ms, 20–50 ms under load", step="commit", limit_ms=50),
    _Limit(claim="step 3, publish: below 1 ms", step="publish", limit_ms=1),
    _Limit(claim="step 4, fan-out: below 1 ms", step="fan_out", limit_ms=1),
    _Limit(claim="step 5, push: below 5 ms", step="push", limit_ms=5),
    _Limit(claim="total: 30–40 ms", step="total", limit_ms=40),
)


def compare(measured: RunMeasurements) -> tuple[Claim, ...]:
    """The claims name no percentile, so a claim is supported if even the P99 stays within the bound, contradicted if
    even the median does not, and not reached in between. The error of the clocks counts against both."""
    return tuple(_compared(claim, measured) for claim in CLAIMS)


def _compared(limit: _Limit, measured: RunMeasurements) -> Claim:
    # Both ends of the total are on the load generator, so it is known without traces too.
    if limit.step == "total":
        found, bound_ms = measured.latency, 0.0
    else:
        steps = measured.steps
        found = (getattr(steps, limit.step) if steps else None) or Percentiles()
        bound_ms = steps.clock_bound_ms if steps and limit.step in ("ingest", "fan_out", "push") else 0.0
    status = Outcome.NOT_REACHED
    if found.p50_ms is not None and found.p99_ms is not None:
        if found.p99_ms + bound_ms < limit.limit_ms:
            status = Outcome.SUPPORTED
        elif found.p50_ms - bound_ms >= limit.limit_ms:
            status = Outcome.CONTRADICTED
    return Claim(
        claim=limit.claim,
        source=SOURCE,
        step=limit.step,
        expected={"p99_ms_below": limit.limit_ms},
        measured=None if found.p99_ms is None else {"p50_ms": found.p50_ms, "p99_ms": found.p99_ms},
        status=status,
    )


def decide(plan: Plan, findings: Sequence[Finding], measured: RunMeasurements) -> tuple[Decision, ...]:
    """For each decision record, whether this run supports it, contradicts it, or does not reach it."""
    return (_write_path(plan, findings, measured), _backplane(plan, findings, measured))


def _write_path(plan: Plan, findings: Sequence[Finding], measured: RunMeasurements) -> Decision:
    decided = WRITE_PATHS.default
    checks = ["acknowledged-not-stored", "delivered-not-stored", "commit-order", "seq-gapless"]
    # With a fault the promise goes further: nothing is lost, and no acknowledgement waits for the broker.
    checks += ["lost"] if plan.faults else []
    broker_away = any(fault.target in CARRIERS and fault.kind is not FaultKind.RESTART for fault in plan.faults)
    checks += ["ack-during-outage"] if broker_away else []
    status, statuses = _weighed(findings, checks)
    commit = measured.steps.commit if measured.steps else None
    cost = f"; the commit costs {commit.p99_ms:.1f} ms at its P99" if commit and commit.p99_ms is not None else ""
    faults = "; ".join(map(str, plan.faults))
    evidence = f"{statuses}{cost}. " + (f"Faults: {faults}." if faults else "No fault was injected in this run.")
    if plan.write_path != decided.name:
        status, evidence = _alternative(plan, findings, measured)
    adr, title = decided.decision or ("", decided.name)
    return Decision(adr=adr, title=title, status=status, evidence=evidence)


def _alternative(plan: Plan, findings: Sequence[Finding], measured: RunMeasurements) -> tuple[Outcome, str]:
    """The evidence of a run of another write path. A loss supports the decision; a run without a loss does not
    decide."""
    used = f"this run used the write path {plan.write_path}"
    found = {finding.check: finding for finding in findings}
    stored = found.get("acknowledged-not-stored")
    if stored is None or stored.status is Status.UNKNOWN:
        return Outcome.NOT_REACHED, f"{used}; it is not known whether an acknowledged message was lost"
    acknowledged = measured.acknowledgement
    gained = ""
    if acknowledged is not None and acknowledged.p50_ms is not None:
        gained = f", with acknowledgements of {acknowledged.p50_ms:.1f} ms at the median"
    if stored.status is Status.FAIL:
        return Outcome.SUPPORTED, f"{used}: {stored.summary}{gained}"
    return Outcome.NOT_REACHED, f"{used}: no acknowledged message was lost in this run{gained}"


def _backplane(plan: Plan, findings: Sequence[Finding], measured: RunMeasurements) -> Decision:
    decided = BACKPLANES.default
    latency = "live_latency_ms.p99" if plan.faults else "latency_ms.p99"
    status, statuses = _weighed(findings, ("lost", "duplicate-visible", "order", "phantom", latency))
    fan_out = (measured.steps.fan_out if measured.steps else None) or Percentiles()
    cost = ""
    if fan_out.p50_ms is not None and fan_out.p99_ms is not None:
        cost = f"; fan-out P50 {fan_out.p50_ms:.2f} ms, P99 {fan_out.p99_ms:.1f} ms"
    evidence = f"{statuses} over {plan.servers} servers{cost}. One server count says nothing about scaling."
    if plan.backplane != decided.name or plan.servers < 2:
        status = Outcome.NOT_REACHED
        evidence = f"this run had {plan.servers} server(s) on the backplane {plan.backplane}"
    elif (environment := ENVIRONMENTS.find(plan.environment)) and not environment.owns_components:
        evidence += " The backplane is what the external cluster says it is."
    adr, title = decided.decision or ("", decided.name)
    return Decision(adr=adr, title=title, status=status, evidence=evidence)


def _weighed(findings: Sequence[Finding], checks: Sequence[str]) -> tuple[Outcome, str]:
    """The outcome over these checks, and their statuses as text."""
    found = {finding.check: finding.status for finding in findings if finding.check in checks}
    text = ", ".join(f"{check} {status}" for check, status in found.items()) or "nothing was checked"
    if Status.FAIL in found.values():
        return Outcome.CONTRADICTED, text
    if len(found) == len(checks) and all(status is Status.PASS for status in found.values()):
        return Outcome.SUPPORTED, text
    return Outcome.NOT_REACHED, text
