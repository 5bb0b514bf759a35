"""The cells of a matrix → one verdict: are all alternatives safe, and how do they differ?"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from harness.checks.judge import apply_bias, ask_all, overall
from harness.checks.matrix.cell_figures import RanCell, cell_figures
from harness.checks.matrix.matrix_checks import MATRIX_CHECKS, MatrixCase
from harness.checks.matrix.system_figures import is_separated, latency_scenario, order, system_figures
from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.finding import Verdict
from harness.model.matrix_plan import MatrixPlan
from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.matrix_measurements import MatrixMeasurements, SystemFigures


def judge_matrix(plan: MatrixPlan, runs: Sequence[RanCell]) -> Verdict:
    """Ask every check of the matrix. ``runs`` has one entry for each cell that can run."""
    measured = measure_matrix(plan, runs)
    checks = list(MATRIX_CHECKS)
    findings = tuple(apply_bias(ask_all(checks, MatrixCase(plan=plan, runs=runs)), checks))
    claims = tuple(claim for system in measured.systems for claim in _named(system))
    measured = replace(measured, claims=claims, decisions=_decisions(measured))
    return Verdict(status=overall(findings), findings=findings, matrix=measured, plan=plan.reference)


def measure_matrix(plan: MatrixPlan, runs: Sequence[RanCell]) -> MatrixMeasurements:
    """Everything that is measured, without claims and decisions."""
    left_out = [RanCell(cell=cell) for cell in plan.cells if cell.plan is None]
    cells = tuple(cell_figures(ran) for ran in (*runs, *left_out))
    systems = tuple(system_figures(plan, cells, system) for system in plan.systems)
    counted = [cell.delivery for cell in cells if cell.delivery is not None]
    return MatrixMeasurements(
        delivery=reduce(DeliveryCounts.__add__, counted, DeliveryCounts()),
        latency_scenario=latency_scenario(plan),
        repeat=plan.repeat,
        predicted_s=plan.predicted_s,
        cells=tuple(sorted(cells, key=lambda one: (one.system, one.scenario, one.servers, one.repetition))),
        systems=systems,
        order=order(systems),
    )


def _named(system: SystemFigures) -> tuple[Claim, ...]:
    return tuple(replace(claim, claim=f"{system.system}: {claim.claim}") for claim in system.claims)


def _decisions(measured: MatrixMeasurements) -> tuple[Decision, ...]:
    """The evidence of the matrix for each decision record: the decided member beside all others, in figures."""
    return (_backplane(measured), _write_path(measured))


def _backplane(measured: MatrixMeasurements) -> Decision:
    """ADR-0002 is contradicted if another backplane that lost nothing is shown to be faster. It is supported if none
    is, and the decided one lost nothing."""
    decided = BACKPLANES.default
    rows = {one.backplane: one for one in measured.systems if one.system == one.backplane}
    mine = rows.get(decided.name)
    title = decided.decision or ("", decided.title)
    # One server needs no backplane, so a backplane for one server is no alternative.
    others = [one for name, one in rows.items() if name != decided.name and BACKPLANES.get(name).servers_max is None]
    if mine is None or mine.p99_ms is None or not others or not mine.expected:
        evidence = "the matrix does not measure the decided backplane beside another one"
        return Decision(adr=title[0], title=title[1], status=Outcome.NOT_REACHED, evidence=evidence)
    sound = [one for one in others if one.p99_ms is not None and one.expected and not one.lost and not one.undelivered]
    faster = [one for one in sound if one.p99_ms is not None and is_separated(one.p99_ms, mine.p99_ms)]
    slower = [one for one in sound if one.p99_ms is not None and is_separated(mine.p99_ms, one.p99_ms)]
    evidence = (
        f"{decided.name}: P99 {mine.p99_ms.value:.1f} ms ({mine.p99_ms.low:.1f} to {mine.p99_ms.high:.1f}), "
        f"{mine.lost:,} of {mine.expected:,} deliveries lost; shown to be slower: {_names(slower)}; shown to be "
        f"faster: {_names(faster)}"
    )
    status = Outcome.SUPPORTED if slower and not faster and not mine.lost else Outcome.NOT_REACHED
    if faster or mine.lost:
        status = Outcome.CONTRADICTED
    return Decision(adr=title[0], title=title[1], status=status, evidence=evidence)


def _names(systems: Sequence[SystemFigures]) -> str:
    return ", ".join(one.system for one in systems) or "none"


def _write_path(measured: MatrixMeasurements) -> Decision:
    """ADR-0001 is supported if the decided write path lost nothing and another one lost acknowledged messages."""
    decided = WRITE_PATHS.default
    title = decided.decision or ("", decided.name)
    mine = [one for one in measured.systems if one.write_path == decided.name]
    others = [one for one in measured.systems if one.write_path != decided.name]
    lost, lost_others = sum(one.not_stored for one in mine), sum(one.not_stored for one in others)
    evidence = (
        f"{decided.name}: {lost:,} acknowledged messages were not stored, in {sum(one.cells for one in mine)} cells"
    )
    if others:
        evidence += f"; other write paths: {lost_others:,}, in {sum(one.cells for one in others)} cells"
    status = Outcome.NOT_REACHED
    if lost:
        status = Outcome.CONTRADICTED
    elif mine and lost_others:
        status = Outcome.SUPPORTED
    return Decision(adr=title[0], title=title[1], status=status, evidence=evidence)
