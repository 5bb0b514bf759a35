"""Recording → Verdict."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.checks.evidence.evidence import gather
from harness.checks.evidence.tally import tally
from harness.checks.run import claims, delivery, durability, latency, recovery, resilience, resources, steps
from harness.checks.run import validity as instrument
from harness.model.finding import Bias, Finding, Kind, Series, Status, Verdict, worst
from harness.recording.reader import Recording

_log = logging.getLogger(__name__)


def judge(recording: Recording) -> Verdict:
    """Ask every question of the recording. Works on whatever part of a run exists; what cannot be asked is UNKNOWN."""
    evidence = gather(recording)
    counted = tally(evidence)
    account = delivery.settle(evidence, counted)
    figures: dict[str, Any] = latency.measure(evidence, counted, account)
    by_phase = delivery.counts(evidence, counted, account)
    story = recovery.measure(evidence, counted)
    findings = [
        *_asked("delivery", Kind.SAFETY, lambda: delivery.findings(evidence, counted, account)),
        *_asked("durability", Kind.SAFETY, lambda: durability.findings(evidence, counted, account)),
        *_asked("resilience", Kind.SAFETY, lambda: resilience.findings(evidence, counted, story)),
        *_asked("latency", Kind.PERFORMANCE, lambda: latency.findings(evidence, figures)),
        *_asked("instrument", Kind.VALIDITY, lambda: instrument.findings(evidence, counted, figures)),
    ]
    findings = apply_bias(findings)
    measurements: dict[str, Any] = {
        "delivery": by_phase["measured"],
        "delivery_by_phase": by_phase,
        "rates": instrument.rates(evidence, figures),
        **figures,
        "steps_ms": steps.measure(evidence, counted),
        "lost_at": steps.lost_at(evidence, account),
        **({"recovery": story} if story else {}),
        **resources.measure(evidence, counted),
    }
    measurements["claims"] = claims.compare(measurements)
    measurements["decisions"] = claims.decide(recording.plan, findings, measurements)
    curves: dict[str, Series] = latency.series(evidence, counted, account) | resources.series(evidence)
    return Verdict(
        status=overall(findings),
        findings=tuple(findings),
        measurements=measurements,
        plan=recording.plan,
        series=curves,
    )


def apply_bias(findings: Sequence[Finding]) -> list[Finding]:
    """Apply what the ruler's findings mean for performance; safety stands as it is.

    A ruler bent towards BETTER (a lower rate than planned, rows missing) decides nothing: PASS and FAIL become UNKNOWN.
    Bent towards WORSE (a late sender, a lagging receiver) it cannot have helped: a PASS stands, a FAIL becomes UNKNOWN.
    """
    bent = [finding for finding in findings if finding.bias is not None]
    better = [finding.check for finding in bent if finding.bias is Bias.OPTIMISTIC]
    worse = [finding.check for finding in bent if finding.bias is Bias.PESSIMISTIC]

    def with_bias(finding: Finding) -> Finding:
        if finding.kind is not Kind.PERFORMANCE:
            return finding
        doubts = better if finding.status is Status.PASS else better + worse if finding.status is Status.FAIL else []
        if not doubts:
            return finding
        summary = f"{finding.summary}; not decided, because of {', '.join(doubts)}"
        return replace(finding, status=Status.UNKNOWN, summary=summary)

    return [with_bias(finding) for finding in findings]


def overall(findings: Sequence[Finding]) -> Status:
    """The worst finding. A ruler bent towards WORSE counts only through the findings that it changed: a system that
    passes although it was measured unfavourably has passed."""
    return worst(finding.status for finding in findings if finding.bias is not Bias.PESSIMISTIC)


def _asked(name: str, kind: Kind, ask: Callable[[], list[Finding]]) -> list[Finding]:
    """The answers, or one UNKNOWN where a check itself fails: a broken check proves nothing, and hides no other."""
    try:
        return ask()
    except Exception as error:
        _log.exception("check %s failed", name)
        return [
            Finding(
                check=name,
                kind=kind,
                status=Status.UNKNOWN,
                summary=f"the check itself failed: {type(error).__name__}: {error}",
                measured=None,
                expected=None,
                bias=Bias.OPTIMISTIC if kind is Kind.VALIDITY else None,
            )
        ]
