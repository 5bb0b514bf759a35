"""The architecture's claims beside what was measured, and what that says of the two decisions that rest on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.fault import FaultKind, Target
from harness.model.finding import Finding, Status
from harness.model.plan import Plan

SUPPORTED, CONTRADICTED, NOT_REACHED = "supported", "contradicted", "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """``step`` of `steps_ms` stays below ``limit_ms``."""

    claim: str
    step: str
    limit_ms: float


CLAIMS = (
    _Claim(claim="end to end P99 below 100 ms", step="total", limit_ms=100),
    _Claim(claim="step 2, commit: 20–30 ms, 20–50 ms under load", step="commit", limit_ms=50),
    _Claim(claim="step 3, publish: below 1 ms", step="publish", limit_ms=1),
    _Claim(claim="step 4, fan-out: below 1 ms", step="fan_out", limit_ms=1),
    _Claim(claim="step 5, push: below 5 ms", step="push", limit_ms=5),
    _Claim(claim="total: 30–40 ms", step="total", limit_ms=40),
)


def compare(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`measurements.claims`. The claims name no percentile, so: supported where even the P99 stays within the claimed
    bound, contradicted where not even the median does, and not reached in between (typical, but not in the tail)."""
    rows = []
    for claim in CLAIMS:
        step = figures.get("steps_ms", {}).get(claim.step) or {}
        if claim.step == "total":
            step = figures.get("latency_ms", {})
        p50, p99 = step.get("p50"), step.get("p99")
        status = NOT_REACHED
        if p50 is not None and p99 is not None:
            status = SUPPORTED if p99 < claim.limit_ms else CONTRADICTED if p50 >= claim.limit_ms else NOT_REACHED
        rows.append(
            {
                "claim": claim.claim,
                "source": "the architecture's own figures",
                "step": claim.step,
                "expected": {"p99_ms_below": claim.limit_ms},
                "measured": None if p99 is None else {"p50_ms": p50, "p99_ms": p99},
                "status": status,
            }
        )
    return rows


def decide(plan: Plan, findings: Sequence[Finding], figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """`measurements.decisions`: whether this run supports, contradicts or does not reach ADR-0001 and ADR-0002."""
    return [_db_first(plan, findings, figures), _redis(plan, findings, figures)]


def _db_first(plan: Plan, findings: Sequence[Finding], figures: Mapping[str, Any]) -> dict[str, str]:
    checks = ["acknowledged-not-stored", "delivered-not-stored", "commit-order", "seq-gapless"]
    # With something broken the promise goes further: nothing is lost, and Redis away slows no acknowledgement.
    checks += ["lost"] if plan.faults else []
    redis_away = any(fault.target is Target.BROKER and fault.kind is not FaultKind.RESTART for fault in plan.faults)
    checks += ["ack-during-outage"] if redis_away else []
    status, statuses = _weigh(findings, checks)
    commit = figures.get("steps_ms", {}).get("commit", {}).get("p99")
    cost = f"; the commit costs {commit:.1f} ms at its P99" if commit is not None else ""
    broken = "; ".join(map(str, plan.faults))
    evidence = f"{_told(statuses)}{cost}. " + (f"Broken: {broken}." if broken else "No fault was injected in this run.")
    if plan.write_path != "db-first":
        status, evidence = NOT_REACHED, f"this run used the write path {plan.write_path}"
    return {"adr": "ADR-0001", "title": "DB-first write path", "status": status, "evidence": evidence}


def _redis(plan: Plan, findings: Sequence[Finding], figures: Mapping[str, Any]) -> dict[str, str]:
    latency = "live_latency_ms.p99" if plan.faults else "latency_ms.p99"
    checks = ("lost", "duplicate-visible", "order", "phantom", latency)
    status, statuses = _weigh(findings, checks)
    fan_out = figures.get("steps_ms", {}).get("fan_out", {})
    cost = f"; fan-out P50 {fan_out['p50']:.2f} ms, P99 {fan_out['p99']:.1f} ms" if fan_out.get("count") else ""
    evidence = f"{_told(statuses)} over {plan.servers} servers{cost}. One server count says nothing about scaling."
    if plan.backplane != "redis" or plan.servers < 2:
        status = NOT_REACHED
        evidence = f"this run had {plan.servers} server(s) on the backplane {plan.backplane}"
    elif plan.environment == "external":
        evidence += " The backplane is what the external cluster says it is."
    return {"adr": "ADR-0002", "title": "Redis Pub/Sub between servers", "status": status, "evidence": evidence}


def _weigh(findings: Sequence[Finding], checks: Sequence[str]) -> tuple[str, dict[str, Status]]:
    found = {finding.check: finding.status for finding in findings if finding.check in checks}
    if Status.FAIL in found.values():
        return CONTRADICTED, found
    if len(found) == len(checks) and all(status is Status.PASS for status in found.values()):
        return SUPPORTED, found
    return NOT_REACHED, found


def _told(statuses: Mapping[str, Status]) -> str:
    return ", ".join(f"{check} {status}" for check, status in statuses.items()) or "nothing was checked"
