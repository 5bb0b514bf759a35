"""Recording → Verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from harness.checks.check import Case, Check
from harness.checks.evidence.account import Account, reconcile
from harness.checks.evidence.evidence import Evidence, gather
from harness.checks.evidence.tally import Tally, tally
from harness.checks.registry import CHECKS
from harness.checks.run import claims, delivery, latency, recovery, resource_curves, resources, steps, validity
from harness.model.finding import Bias, Finding, Kind, Status, Verdict, worst
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.plan import Plan
from harness.recording.reader import Recording

C = TypeVar("C")


def judge(recording: Recording) -> Verdict:
    """Ask every check that applies. Works on any part of a run that exists; what cannot be decided is UNKNOWN."""
    evidence = gather(recording)
    counted = tally(evidence)
    account = reconcile(evidence, counted)
    measured = measure(evidence, counted, account)
    case = Case(evidence=evidence, tally=counted, account=account, measured=measured)
    findings = tuple(apply_bias(ask_all(checks_of(recording.plan), case)))
    measured = replace(
        measured, claims=claims.compare(measured), decisions=claims.decide(recording.plan, findings, measured)
    )
    return Verdict(
        status=overall(findings),
        findings=findings,
        run=measured,
        plan=recording.plan,
        series=latency.series(evidence, counted, account) | resource_curves.series(evidence),
    )


def measure(evidence: Evidence, counted: Tally, account: Account) -> RunMeasurements:
    """Everything that is measured, without claims and decisions."""
    recording = evidence.recording
    latencies = latency.measure(evidence, counted, account)
    found = resources.samples(recording)
    return RunMeasurements(
        delivery=delivery.measure(evidence, counted, account),
        rates=validity.rates(evidence, latencies["latency"]),
        latency=latencies["latency"],
        completion=latencies["completion"],
        live_latency=latencies.get("live_latency"),
        recovered_latency=latencies.get("recovered_latency"),
        acknowledgement=latencies.get("acknowledgement"),
        send_late=latencies.get("send_late"),
        steps=steps.measure(evidence, counted),
        lost_at=steps.lost_at(evidence, account),
        recovery=recovery.measure(evidence, counted),
        servers=resources.servers(evidence, counted, found),
        workers=resources.workers(recording, found),
        publisher=resources.publisher(found),
        machine=resources.machine(found, recording.telemetry),
        broker=resources.broker(recording.plan, found),
        database=resources.database(found),
    )


def checks_of(plan: Plan) -> list[Check[Case]]:
    """Those of the registry, and one for each expectation of the plan that has none there."""
    found = {check.name: check for check in CHECKS}
    for wish in plan.expectations:
        check = latency.limit_check(wish.measure, wish.statistic)
        found.setdefault(check.name, check)
    return list(found.values())


def ask_all(checks: Iterable[Check[C]], case: C) -> list[Finding]:
    """The findings of the checks that apply. A check that crashes says UNKNOWN and hides no other."""
    return [finding for check in checks if (finding := check.ask(case)) is not None]


def apply_bias(findings: Sequence[Finding], fail_stands: frozenset[str] = frozenset()) -> list[Finding]:
    """Apply to performance findings what the validity findings mean for them; safety findings stand as they are.

    An OPTIMISTIC bias (a lower rate than planned, rows missing) decides nothing: PASS and FAIL become UNKNOWN. With a
    PESSIMISTIC bias (a late sender, a lagging receiver) a PASS stands, and a FAIL becomes UNKNOWN, unless the check is in
    ``fail_stands``.
    """
    optimistic = [finding.check for finding in findings if finding.bias is Bias.OPTIMISTIC]
    pessimistic = [finding.check for finding in findings if finding.bias is Bias.PESSIMISTIC]

    def with_bias(finding: Finding) -> Finding:
        if finding.kind is not Kind.PERFORMANCE or finding.status is Status.UNKNOWN:
            return finding
        doubts = list(optimistic)
        if finding.status is Status.FAIL and finding.check not in fail_stands:
            doubts += pessimistic
        if not doubts:
            return finding
        summary = f"{finding.summary}; not decided, because of {', '.join(doubts)}"
        return replace(finding, status=Status.UNKNOWN, summary=summary)

    return [with_bias(finding) for finding in findings]


def overall(findings: Iterable[Finding]) -> Status:
    """The worst finding. A PESSIMISTIC bias counts only through the findings that it changed: a system that passes although
    it was measured unfavourably has passed."""
    return worst(finding.status for finding in findings if finding.bias is not Bias.PESSIMISTIC)
