"""Recording → Verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from harness.checks.check import Case, Check
from harness.checks.evidence.account import Account, reconcile
from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import Evidence, gather
from harness.checks.evidence.parts import Need, lacking
from harness.checks.evidence.tally import Tally, tally
from harness.checks.registry import CHECKS
from harness.checks.run import (
    claims,
    delivery,
    delivery_rate,
    durability_lag,
    latency,
    latency_limits,
    recovery,
    resource_curves,
    resources,
    steps,
)
from harness.model.finding import Bias, Finding, Kind, Series, Status, Verdict, worst
from harness.model.measurements.claims import Claim, Decision
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.resources import MachineFigures, ProcessFigures
from harness.model.measurements.run_measurements import Rates, RunMeasurements
from harness.model.plan import Plan
from harness.recording.reader import Recording

C = TypeVar("C")


def judge(recording: Recording) -> Verdict:
    """Call every check that applies. It works on an incomplete recording; an undecided check is UNKNOWN."""
    attempts = Attempts()
    evidence = gather(recording, attempts)
    counted = tally(evidence, attempts)
    none = Account.nothing(len(evidence.schedule), evidence.plan.clients)
    account = attempts.make("account", lambda: reconcile(evidence, counted), none)
    measured = measure(evidence, counted, account, attempts)
    series = _series(evidence, counted, account, attempts)
    no_claims: tuple[Claim, ...] = ()
    compared = attempts.make("claims", lambda: claims.compare(measured), no_claims)
    missing = lacking(evidence, counted)

    def found() -> tuple[Finding, ...]:
        complete = replace(measured, not_measured=attempts.failed)
        case = Case(evidence=evidence, tally=counted, account=account, measured=complete)
        checks = checks_of(recording.plan)
        return tuple(apply_bias(ask_all(checks, case, missing), checks))

    findings, known = found(), attempts.failed
    undecided: tuple[Decision, ...] = ()
    decisions = attempts.make("decisions", lambda: claims.decide(recording.plan, findings, measured), undecided)
    if attempts.failed != known:
        findings = found()  # a decision that could not be made is a measurement that is missing, too
    return Verdict(
        status=overall(findings),
        findings=findings,
        run=replace(measured, claims=compared, decisions=decisions, not_measured=attempts.failed),
        plan=recording.plan,
        series=series,
    )


def measure(evidence: Evidence, counted: Tally, account: Account, attempts: Attempts) -> RunMeasurements:
    """All measurements, without claims and decisions. Each part is measured separately: if one cannot be measured, it
    is absent, and ``attempts`` keeps its name."""
    recording, plan, make = evidence.recording, evidence.plan, attempts.make
    latencies = latency.measure(evidence, counted, account, attempts)
    every = latencies.get("latency") or Percentiles()
    planned = Rates(planned_messages_hz=plan.rate_hz, planned_deliveries_hz=plan.deliveries_per_s)
    nothing: list[resources.Sample] = []
    found = make("telemetry", lambda: resources.samples(recording), nothing)
    return RunMeasurements(
        delivery=make("delivery", lambda: delivery.measure(evidence, counted, account), None),
        rates=make("rates", lambda: delivery_rate.rates(evidence, counted), planned),
        latency=every,
        completion=latencies.get("completion") or Percentiles(),
        live_latency=latencies.get("live_latency"),
        recovered_latency=latencies.get("recovered_latency"),
        acknowledgement=latencies.get("acknowledgement"),
        send_late=latencies.get("send_late"),
        steps=make("steps", lambda: steps.measure(evidence, counted), None),
        lost_at=make("lost_at", lambda: steps.lost_at(evidence, account), ()),
        durability=make("durability", lambda: durability_lag.measure(evidence), None),
        recovery=make("recovery", lambda: recovery.measure(evidence, counted), None),
        servers=make("servers", lambda: resources.servers(evidence, counted, found), ()),
        workers=make("workers", lambda: resources.workers(evidence, found), ()),
        publisher=make("publisher", lambda: resources.publisher(found), ProcessFigures()),
        machine=make("machine", lambda: resources.machine(found, recording.telemetry), MachineFigures()),
        broker=make("broker", lambda: resources.broker(plan, found), None),
        database=make("database", lambda: resources.database(found), None),
    )


def _series(evidence: Evidence, counted: Tally, account: Account, attempts: Attempts) -> Mapping[str, Series]:
    """The curves of the report; those that cannot be drawn are absent."""
    none: dict[str, Series] = {}
    curves = attempts.make("latency curves", lambda: latency.series(evidence, counted, account), none)
    exposure = attempts.make("exposure curve", lambda: durability_lag.series(evidence), none)
    return curves | exposure | attempts.make("resource curves", lambda: resource_curves.series(evidence), none)


def checks_of(plan: Plan) -> list[Check[Case]]:
    """The checks of the registry, and one for each expectation of the plan that has no check there."""
    found = {check.name: check for check in CHECKS}
    for wish in plan.expectations:
        check = latency_limits.limit_check(wish.measure, wish.statistic)
        found.setdefault(check.name, check)
    return list(found.values())


def ask_all(checks: Iterable[Check[C]], case: C, lacking: Mapping[Need, str] | None = None) -> list[Finding]:
    """The findings of the checks that apply. A check that crashes says UNKNOWN and hides no other; none passes without
    the parts of the recording that it needs. ``lacking`` says which are missing."""
    return [finding for check in checks if (finding := check.ask(case, lacking)) is not None]


def apply_bias(findings: Sequence[Finding], checks: Sequence[Check[C]] = ()) -> list[Finding]:
    """Apply the biases of the validity findings to the performance findings; safety findings do not change.

    With an OPTIMISTIC bias (a lower rate than planned, rows missing) nothing is decided: PASS and FAIL become UNKNOWN.
    With a PESSIMISTIC bias (a late sender, a lagging receiver) a PASS against a fixed limit stands, and a FAIL becomes
    UNKNOWN. A ratio of two measured figures is not decided with any bias: a slower base improves the ratio, and a
    slower other figure worsens it. ``checks`` say which findings compare a ratio, and whose FAIL a pessimistic bias
    cannot cause.
    """
    ratios = {check.name for check in checks if check.compares_ratio}
    fail_stands = {check.name for check in checks if check.fail_stands}
    optimistic = [finding.check for finding in findings if finding.bias is Bias.OPTIMISTIC]
    pessimistic = [finding.check for finding in findings if finding.bias is Bias.PESSIMISTIC]

    def with_bias(finding: Finding) -> Finding:
        if finding.kind is not Kind.PERFORMANCE or finding.status is Status.UNKNOWN:
            return finding
        doubts = list(optimistic)
        passes_by_ratio = finding.status is Status.PASS and finding.check in ratios
        fails = finding.status is Status.FAIL and finding.check not in fail_stands
        if passes_by_ratio or fails:
            doubts += pessimistic
        if not doubts:
            return finding
        summary = f"{finding.summary}; not decided, because of {', '.join(doubts)}"
        return replace(finding, status=Status.UNKNOWN, summary=summary)

    return [with_bias(finding) for finding in findings]


def overall(findings: Iterable[Finding]) -> Status:
    """The worst finding. A PESSIMISTIC bias counts only through the findings that it changed: a system that passes
    under unfavourable conditions has passed."""
    return worst(finding.status for finding in findings if finding.bias is not Bias.PESSIMISTIC)
