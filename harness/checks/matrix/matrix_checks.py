"""All checks of a matrix, in the order of their findings.

To add a check, add a `Check` to the registry here, and its row to docs/results.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.check import Answer, Check, Need
from harness.checks.matrix.cell_figures import RanCell
from harness.checks.statistics.distribution import loss_bound
from harness.model.finding import Bias, Finding, Kind, Status, worst
from harness.model.matrix_plan import MatrixPlan
from harness.model.registry import Registry

PLANTED = "tests/harness/checks/matrix/test_matrix_judging.py::"
_EXAMPLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCase:
    """The input of a check of a matrix. ``runs`` has one entry for each cell that can run here."""

    plan: MatrixPlan
    runs: Sequence[RanCell]


def _findings(ran: RanCell, kind: Kind) -> list[Finding]:
    return [finding for finding in ran.verdict.findings if finding.kind is kind] if ran.verdict else []


def _safety(case: MatrixCase) -> Answer:
    """Every alternative must keep the promises of the architecture, or it is no alternative."""
    found = {ran.cell.name: _findings(ran, Kind.SAFETY) for ran in case.runs}
    status = worst(finding.status for findings in found.values() for finding in findings)
    if status is Status.PASS and (not found or any(not findings for findings in found.values())):
        status = Status.UNKNOWN
    red = [f"{name}: {one.summary}" for name, many in found.items() for one in many if one.status is not Status.PASS]
    red += [f"{name}: left no verdict" for name, many in found.items() if not many]
    names = sorted({ran.cell.system.name for ran in case.runs if _unsafe(ran)})
    lost = [one for many in found.values() for one in many if one.check == "lost"]
    messages, pairs = sum(one.samples for one in lost), sum(one.pairs or 0 for one in lost)
    summary = (
        f"every safety check passed in all {len(case.runs)} cells: {pairs:,} expected deliveries arrived, once and in "
        "order"
        if status is Status.PASS
        else f"{len(red)} safety checks of {len(case.runs)} cells did not pass: {', '.join(names)}"
    )
    return Answer(
        status=status,
        summary=summary,
        measured={"not_passed": len(red)},
        expected={"not_passed": 0},
        samples=messages,
        pairs=pairs,
        confidence=loss_bound(messages, pairs) if messages and status is Status.PASS else "",
        examples=tuple(red[:_EXAMPLES]),
    )


def _unsafe(ran: RanCell) -> bool:
    found = _findings(ran, Kind.SAFETY)
    return not found or any(finding.status is not Status.PASS for finding in found)


def _limits(case: MatrixCase) -> Answer:
    """The performance limits of the scenarios, in every cell."""
    found = {ran.cell.name: (ran, _findings(ran, Kind.PERFORMANCE)) for ran in case.runs}
    status = worst(finding.status for _, findings in found.values() for finding in findings)
    if status is Status.PASS and (not found or any(not findings for _, findings in found.values())):
        status = Status.UNKNOWN
    red = [
        f"{name}: {one.summary}" for name, (_, many) in found.items() for one in many if one.status is not Status.PASS
    ]
    failed = sorted(
        {ran.cell.system.name for ran, many in found.values() if any(one.status is Status.FAIL for one in many)}
    )
    named = f"; beyond a limit: {', '.join(failed)}" if failed else ""
    return Answer(
        status=status,
        summary=f"every limit was kept in all {len(case.runs)} cells"
        if status is Status.PASS
        else f"{len(red)} performance checks of {len(case.runs)} cells did not pass{named}",
        measured={"systems_beyond": len(failed)},
        expected={"systems_beyond": 0},
        samples=len(case.runs),
        examples=tuple(red[:_EXAMPLES]),
    )


def _completeness(case: MatrixCase) -> Answer:
    missing = [ran for ran in case.runs if ran.verdict is None]
    left_out = len(case.plan.cells) - len(case.plan.running)
    remark = f"; {left_out} cells cannot run here, each with its reason" if left_out else ""
    return Answer(
        status=Status.UNKNOWN if missing or not case.runs else Status.PASS,
        summary=f"{len(case.runs) - len(missing)} of {len(case.runs)} planned cells were run and judged{remark}",
        measured=len(case.runs) - len(missing),
        expected=len(case.runs),
        samples=len(case.runs),
        examples=tuple(f"{ran.cell.name}: {ran.why or 'left no verdict'}" for ran in missing[:_EXAMPLES]),
    )


def _validity(case: MatrixCase) -> Answer:
    """Can the measurement of every cell be trusted? Each cell's own verdict has applied its bias already."""
    biased = [(ran, one) for ran in case.runs for one in _findings(ran, Kind.VALIDITY) if one.bias is not None]
    silent = [ran for ran in case.runs if not _findings(ran, Kind.VALIDITY)]
    cells = {ran.cell.name for ran, _ in biased} | {ran.cell.name for ran in silent}
    checks = sorted({one.check for _, one in biased})
    named = ", ".join(checks) or "without validity findings"
    optimistic = bool(silent) or any(one.bias is Bias.OPTIMISTIC for _, one in biased)
    return Answer(
        status=Status.UNKNOWN if cells or not case.runs else Status.PASS,
        summary=f"the measurement may be biased in {len(cells)} of {len(case.runs)} cells: {named}"
        if cells
        else f"all validity checks passed in all {len(case.runs)} cells",
        measured={"biased_cells": len(cells)},
        expected={"biased_cells": 0},
        samples=len(case.runs),
        examples=tuple(f"{ran.cell.name}: {one.summary}" for ran, one in biased[:_EXAMPLES]),
        bias=Bias.OPTIMISTIC if optimistic else Bias.PESSIMISTIC,
    )


MATRIX_CHECKS: Registry[Check[MatrixCase]] = Registry(
    "check of a matrix",
    (
        Check(
            name="safety-of-every-system",
            kind=Kind.SAFETY,
            function=_safety,
            needs=(Need.VERDICTS,),
            red_when="a safety check of any cell failed. UNKNOWN when a cell left no verdict",
            what_to_do="the report of the cell that its examples name",
            planted_bug=f"{PLANTED}test_a_loss_in_one_cell_fails_the_matrix",
        ),
        Check(
            name="limits-of-every-system",
            kind=Kind.PERFORMANCE,
            function=_limits,
            needs=(Need.VERDICTS,),
            red_when=(
                "a performance check of any cell failed: an alternative does not meet the limits of the scenario"
            ),
            what_to_do="that cell's report; the matrix says how far beyond the limit it is",
            planted_bug=f"{PLANTED}test_a_system_beyond_its_limit_fails_the_matrix",
        ),
        Check(
            name="matrix-completeness",
            kind=Kind.VALIDITY,
            bias=Bias.OPTIMISTIC,
            function=_completeness,
            needs=(Need.VERDICTS,),
            red_when="a planned cell was not run, or left no verdict. A cell that cannot run on this machine is not "
            "counted: its row says why",
            what_to_do="the message of the cell; run the matrix again",
            planted_bug=f"{PLANTED}test_a_cell_that_is_missing_leaves_the_matrix_undecided",
        ),
        Check(
            name="validity-of-every-cell",
            kind=Kind.VALIDITY,
            function=_validity,
            needs=(Need.VERDICTS,),
            red_when="a validity check of a cell did not pass; the bias is that of the cells",
            what_to_do="that cell's report",
            planted_bug=f"{PLANTED}test_a_biased_cell_leaves_performance_undecided",
        ),
    ),
)
