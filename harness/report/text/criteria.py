"""The verdict's findings as a table, and the cases behind those that did not pass."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.report.text.lookup import ranked
from harness.report.text.quantities import UNKNOWN, count, regrouped, told
from harness.report.text.table import Cell, Table

STATUS_WORDS = {Status.PASS: "PASS", Status.FAIL: "FAIL", Status.UNKNOWN: "UNKNOWN"}
BIASES = {
    Bias.PESSIMISTIC: "Can only make figures worse than they are: a performance PASS stands, a FAIL is not decided.",
    Bias.OPTIMISTIC: "Can make figures better than they are: no performance finding is decided.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """A few concrete cases of one finding."""

    check: str
    status: Status
    examples: tuple[str, ...]


def criteria(findings: Iterable[Finding], caption: str) -> Table:
    """One row per finding, what decides first."""
    return Table(
        caption=caption,
        columns=("Check", "Status", "Finding", "Measured", "Expected", "Samples"),
        rows=tuple(_row(finding) for finding in ranked(findings)),
        prose=True,
    )


def _row(finding: Finding) -> tuple[Cell, ...]:
    notes = (BIASES[finding.bias],) if finding.bias is not None else ()
    samples = count(finding.samples) if finding.samples else UNKNOWN
    return (
        Cell(text=finding.check, lines=(finding.kind.value,)),
        Cell(text=STATUS_WORDS[finding.status], status=finding.status.value),
        Cell(text=regrouped(finding.summary), lines=notes),
        Cell(text=told(finding.measured)),
        Cell(text=told(finding.expected)),
        Cell(text=samples, lines=(regrouped(finding.confidence),) if finding.confidence else (), numeric=True),
    )


def cases(verdict: Verdict) -> tuple[Cases, ...]:
    """The examples of every finding that has some, what decides first."""
    return tuple(
        Cases(check=finding.check, status=finding.status, examples=finding.examples)
        for finding in ranked(verdict.findings)
        if finding.examples
    )


def instrument(verdict: Verdict) -> str:
    """One sentence on how far the ruler can be trusted."""
    found = [finding for finding in verdict.findings if finding.kind is Kind.VALIDITY]
    crooked = [finding for finding in found if finding.status is not Status.PASS]
    if not found:
        return "No check has looked at the load generator itself, so its figures are taken on trust."
    if not crooked:
        return f"Straight: all {len(found)} checks of the load generator passed."
    bends = " ".join(BIASES[bend] for bend in dict.fromkeys(f.bias for f in crooked) if bend is not None)
    named = ", ".join(finding.check for finding in crooked)
    return f"Not straight: {named}. {bends} Safety findings stand either way."
