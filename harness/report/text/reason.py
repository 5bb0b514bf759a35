"""Which findings decide a verdict, and the sentence that says why the verdict is what it is."""

from collections.abc import Iterable

from harness.model.expectation import Measure, Statistic
from harness.model.finding import Finding, Kind, Status, Verdict
from harness.model.plan import Plan

_STATUS_ORDER = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.PASS: 2}
_KIND_ORDER = {Kind.SAFETY: 0, Kind.PERFORMANCE: 1, Kind.VALIDITY: 2}
_VERBS = {Status.FAIL: "failed", Status.UNKNOWN: "could not decide", Status.PASS: "passed"}


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The order of findings: FAIL, UNKNOWN, PASS; within each SAFETY, PERFORMANCE, VALIDITY; else the given order."""
    return tuple(sorted(findings, key=lambda finding: (_STATUS_ORDER[finding.status], _KIND_ORDER[finding.kind])))


def reason(verdict: Verdict) -> str:
    """The first of the decisive findings, and how many more there are."""
    if not verdict.findings:
        return "No check was made on this recording: without evidence there is no PASS."
    decisive = [finding for finding in ranked(verdict.findings) if finding.status is verdict.status]
    if verdict.status is Status.PASS:
        return _why_passed(verdict, decisive)
    if not decisive:
        return "The findings do not say why; see the criteria below."
    more = len(decisive) - 1
    others = f" {more} more {'check' if more == 1 else 'checks'} {_VERBS[verdict.status]}." if more else ""
    first = decisive[0].summary.rstrip(".")
    return f"{first[:1].upper()}{first[1:]}.{others}"


def _why_passed(verdict: Verdict, decisive: list[Finding]) -> str:
    biased = [finding.check for finding in verdict.findings if finding.status is not Status.PASS]
    if biased:
        # A PASS is possible only with a bias that makes figures worse.
        return (
            f"All other checks passed. These validity checks did not pass: {', '.join(biased)}. "
            "Their bias can only have made the figures worse."
        )
    if any(finding.kind is Kind.VALIDITY for finding in decisive):
        return f"All {len(decisive)} checks passed: every criterion was met, and every validity check passed."
    return f"All {len(decisive)} checks passed."


def limit_ms(plan: Plan, measure: Measure, statistic: Statistic) -> float | None:
    """The limit that the plan sets for ``statistic`` of ``measure``; the lowest if there are several."""
    limits = (wish.limit_ms for wish in plan.expectations if (wish.measure, wish.statistic) == (measure, statistic))
    return min(limits, default=None)
