"""Outputs for a step of GitHub Actions: a summary, annotations, outputs."""

from harness.model.history import Measured
from harness.model.summary import Case, CaseResult, Summary

ANNOTATIONS_MAX = 10
"""GitHub shows ten for each kind and step; the worst come first."""
_KINDS = {CaseResult.FAIL: "error", CaseResult.UNKNOWN: "warning"}


def annotations(summary: Summary) -> tuple[str, ...]:
    """Workflow commands, at most ten, worst first."""
    found = [case for case in summary.worst_first if case.result in _KINDS]
    shown = [_annotation(summary, case) for case in found[:ANNOTATIONS_MAX]]
    if len(found) > ANNOTATIONS_MAX:
        rest = len(found) - ANNOTATIONS_MAX + 1
        words = f"and {rest} more checks that did not pass: see the summary"
        shown[-1] = f"::{_KINDS[found[ANNOTATIONS_MAX - 1].result]} title={_property(summary.name)}::{_data(words)}"
    return tuple(shown)


def outputs(summary: Summary) -> str:
    """Lines for $GITHUB_OUTPUT: verdict, p99_ms (empty if not measured), report."""
    p99: Measured | None = summary.measures.get("delivery_p99_ms")
    values = {
        "verdict": str(summary.status),
        "p99_ms": "" if p99 is None else f"{p99.value:.3f}",
        "report": summary.report,
    }
    return "".join(f"{name}={' '.join(value.split())}\n" for name, value in values.items())


def _annotation(summary: Summary, case: Case) -> str:
    words = case.summary + (f" (measured {case.measured}; expected {case.expected})" if case.measured else "")
    return f"::{_KINDS[case.result]} title={_property(f'{summary.name}: {case.name}')}::{_data(words)}"


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")
