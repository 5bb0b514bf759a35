"""Reads a verdict's measurements, any of which may be absent: what is not there is None or empty, never an error."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.model.finding import Finding, Kind, Status, Verdict
from harness.report.text.quantities import number

_STATUS_ORDER = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.PASS: 2}
_KIND_ORDER = {Kind.SAFETY: 0, Kind.PERFORMANCE: 1, Kind.VALIDITY: 2}


def part(values: object, *path: str) -> Mapping[str, Any]:
    """The object at ``path``; empty where there is none."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def value(values: object, *path: str) -> float | None:
    """The number at ``path``; None where there is none."""
    return number(part(values, *path[:-1]).get(path[-1]))


def rows(values: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """The list of objects under ``key``; empty where there is none."""
    found = values.get(key)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list | tuple) else []


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What decides first: FAIL, UNKNOWN, PASS; within each SAFETY, PERFORMANCE, INSTRUMENT; else in the given order."""
    return tuple(sorted(findings, key=lambda finding: (_STATUS_ORDER[finding.status], _KIND_ORDER[finding.kind])))


def sentence(verdict: Verdict) -> str:
    """Why the verdict is what it is: the first of its decisive findings, and how many more there are."""
    decisive = [finding for finding in ranked(verdict.findings) if finding.status is verdict.status]
    if not verdict.findings:
        return "No check has looked at this recording: without evidence there is no PASS."
    if verdict.status is Status.PASS:
        bent = [finding.check for finding in verdict.findings if finding.status is not Status.PASS]
        if bent:
            # A PASS stands only beside rulers that lean against the system.
            return f"All other checks passed; the instrument ({', '.join(bent)}) can only have made the figures worse."
        straight = any(finding.kind is Kind.VALIDITY for finding in decisive)
        ending = ": every criterion held, and the instrument was straight." if straight else "."
        return f"All {len(decisive)} checks passed{ending}"
    if not decisive:
        return "The findings do not say why; see the criteria below."
    more = len(decisive) - 1
    others = f" {more} more {'check' if more == 1 else 'checks'} {_VERB[verdict.status]}." if more else ""
    return f"{decisive[0].summary.rstrip('.')}.{others}"


_VERB = {Status.FAIL: "failed", Status.UNKNOWN: "could not decide", Status.PASS: "passed"}


def limit_ms(verdict: Verdict, measure: str, statistic: str) -> float | None:
    """The limit that the plan sets for ``statistic`` of ``measure``; the tightest where there are several."""
    limits = (
        wish.limit_ms for wish in verdict.plan.expectations if (wish.measure, wish.statistic) == (measure, statistic)
    )
    return min(limits, default=None)
