"""The runs of a sweep → one verdict: does the architecture scale, and with what evidence?"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from harness.checks.judge import apply_bias, ask_all, overall
from harness.checks.run.claims import SOURCE
from harness.checks.sweep import growth, ratios
from harness.checks.sweep.member import Ran, row
from harness.checks.sweep.sweep_checks import SWEEP_CHECKS, SweepCase, lacking
from harness.model.backplane import BACKPLANES
from harness.model.finding import Finding, Status, Verdict, worst
from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.sweep_measurements import SweepMeasurements, SweepRun
from harness.model.sweep_plan import Curve, SweepPlan

_OUTCOMES = {
    Status.PASS: Outcome.SUPPORTED,
    Status.FAIL: Outcome.CONTRADICTED,
    Status.UNKNOWN: Outcome.NOT_REACHED,
}
_CLAIMS = (
    ("latency flat from 2 to 16 servers", "latency-stable"),
    ("broker CPU linear in the number of servers", "broker-cpu-growth"),
    ("broker bandwidth linear in the number of servers", "broker-bandwidth-growth"),
    ("no O(N²)", "cpu-growth"),
)
_DECIDING = ("delivery-at-every-count", "broker-cpu-growth", "broker-bandwidth-growth", "cpu-growth")


def judge_sweep(sweep: SweepPlan, runs: Sequence[Ran], *, cores: int | None) -> Verdict:
    """Ask every check of the sweep. ``runs`` has one entry per member; ``cores`` are the machine's, None if unknown."""
    measured = measure_sweep(sweep, [row(ran) for ran in runs])
    case = SweepCase(sweep=sweep, runs=runs, measured=measured, cores=cores)
    checks = list(SWEEP_CHECKS)
    findings = tuple(apply_bias(ask_all(checks, case, lacking(case)), checks))
    measured = replace(measured, claims=_claims(findings), decisions=_decisions(findings))
    return Verdict(status=overall(findings), findings=findings, sweep=measured, plan=sweep.widest)


def measure_sweep(sweep: SweepPlan, rows: Sequence[SweepRun]) -> SweepMeasurements:
    """All measurements, without claims and decisions."""
    fits = (growth.fit(rows, curve, figure) for _, figure in growth.FIGURES.values() for curve in Curve)
    counted = [one.delivery.total for one in rows if one.delivery is not None]
    return SweepMeasurements(
        delivery=reduce(DeliveryCounts.__add__, counted, DeliveryCounts()),
        latency=_worst_latency(rows),
        server_counts=sweep.server_counts,
        clients_per_server=sweep.clients_per_server,
        weak_rate_per_server_hz=sweep.weak_rate_per_server_hz,
        predicted_s=sweep.predicted_s,
        runs=tuple(sorted(rows, key=lambda one: (one.curve, one.servers, one.repetition))),
        fits=tuple(found for found in fits if found is not None),
        ratios=tuple(entry for curve in Curve for entry in ratios.ratios(rows, curve)),
        efficiency=tuple(ratios.efficiency(rows)),
        scalability_law=ratios.law(rows),
    )


def _worst_latency(rows: Sequence[SweepRun]) -> Percentiles | None:
    """That of the run with the highest P99: percentiles are never averaged."""
    found = [one.latency for one in rows if one.latency is not None and one.latency.p99_ms is not None]
    return max(found, key=lambda latency: latency.p99_ms or 0.0, default=None)


def _claims(findings: Sequence[Finding]) -> tuple[Claim, ...]:
    by_check = {finding.check: finding for finding in findings}
    return tuple(
        Claim(
            claim=claim,
            source=SOURCE,
            expected=by_check[check].expected,
            measured=by_check[check].measured,
            status=_OUTCOMES[by_check[check].status],
        )
        for claim, check in _CLAIMS
    )


def _decisions(findings: Sequence[Finding]) -> tuple[Decision, ...]:
    decided = BACKPLANES.default
    adr, title = decided.decision or ("", decided.name)
    found = {finding.check: finding.status for finding in findings if finding.check in _DECIDING}
    evidence = ", ".join(f"{check} {status}" for check, status in found.items())
    return (Decision(adr=adr, title=title, status=_OUTCOMES[worst(found.values())], evidence=evidence),)
