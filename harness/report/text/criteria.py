"""The verdict's findings as a table, and the examples of those that have some."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.report.text.quantities import UNKNOWN, count, formatted, regrouped
from harness.report.text.reason import ranked
from harness.report.text.table import Cell, Table

STATUS_WORDS = {Status.PASS: "PASS", Status.FAIL: "FAIL", Status.UNKNOWN: "UNKNOWN"}
BIASES = {
    Bias.PESSIMISTIC: "This can only make figures worse than they are: a performance PASS stands, a FAIL is not "
    "decided.",
    Bias.OPTIMISTIC: "This can make figures better than they are: no performance finding is decided.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """A few concrete examples of one finding."""

    check: str
    status: Status
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The findings of one kind that passed: a line, and their table."""

    line: str
    checks: str
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """``open``: the findings that did not pass, the deciding ones first; None if all passed. ``passed``: a group for
    each kind."""

    open: Table | None
    passed: tuple[Passed, ...]

    def __bool__(self) -> bool:
        return self.open is not None or bool(self.passed)


def criteria(findings: Iterable[Finding]) -> Criteria:
    """Every finding, once: those that did not pass in full, the others in one line for each kind."""
    found = ranked(findings)
    undecided = [finding for finding in found if finding.status is not Status.PASS]
    groups = [[one for one in found if one.status is Status.PASS and one.kind is kind] for kind in Kind]
    return Criteria(
        open=_table(undecided, "What did not pass, what decides first"),
        passed=tuple(_passed(group) for group in groups if group),
    )


def _passed(findings: Sequence[Finding]) -> Passed:
    kind, checks = findings[0].kind.value.capitalize(), "check" if len(findings) == 1 else "checks"
    table = _table(findings, f"{kind}: what passed")
    assert table is not None, "a group has findings"
    names = ", ".join(finding.check for finding in findings)
    return Passed(line=f"{kind}: {len(findings)} {checks} passed", checks=names, table=table)


def _table(findings: Sequence[Finding], caption: str) -> Table | None:
    """One row per finding. None without findings."""
    rows = tuple(_row(finding) for finding in findings)
    columns = ("Check", "Status", "Finding", "Measured", "Expected", "Samples")
    return Table(caption=caption, columns=columns, rows=rows, prose=True) if rows else None


def _row(finding: Finding) -> tuple[Cell, ...]:
    notes = (BIASES[finding.bias],) if finding.bias is not None else ()
    samples = count(finding.samples) if finding.samples else UNKNOWN
    pairs = (f"of {count(finding.pairs)} deliveries",) if finding.pairs else ()
    beside = (*pairs, *((regrouped(finding.confidence),) if finding.confidence else ()))
    return (
        Cell(text=finding.check, lines=(finding.kind.value,)),
        Cell(text=STATUS_WORDS[finding.status], status=finding.status.value),
        Cell(text=regrouped(finding.summary), lines=notes),
        Cell(text=formatted(finding.measured)),
        Cell(text=formatted(finding.expected)),
        Cell(text=samples, lines=beside, numeric=True),
    )


def examples(verdict: Verdict) -> tuple[Examples, ...]:
    """The examples of every finding that has some, the deciding findings first."""
    return tuple(
        Examples(check=finding.check, status=finding.status, examples=finding.examples)
        for finding in ranked(verdict.findings)
        if finding.examples
    )


def validity(verdict: Verdict) -> str:
    """Whether the measurement can be trusted, in a few sentences."""
    found = [finding for finding in verdict.findings if finding.kind is Kind.VALIDITY]
    doubtful = [finding for finding in found if finding.status is not Status.PASS]
    if not found:
        return "No check of the load generator itself was made, so it is not known whether its figures can be trusted."
    if not doubtful:
        return f"Yes: all {len(found)} validity checks passed."
    biases = " ".join(BIASES[bias] for bias in dict.fromkeys(finding.bias for finding in doubtful) if bias is not None)
    named = ", ".join(finding.check for finding in doubtful)
    return f"Only in part. These validity checks did not pass: {named}. {biases} Safety findings are not affected."
