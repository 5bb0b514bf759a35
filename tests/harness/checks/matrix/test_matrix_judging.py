"""The verdict over a matrix, from made-up cells."""

import dataclasses
import json
from collections.abc import Callable
from unittest import mock

import msgspec
import pytest

from harness.checks.matrix import matrix_judging
from harness.checks.matrix.cell_figures import RanCell, cell_figures
from harness.model.backplane import BACKPLANES, Backplane
from harness.model.fault import Target
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.matrix_plan import Cell, MatrixPlan
from harness.model.measurements.claims import Outcome
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.matrix_measurements import CellFigures
from harness.model.measurements.percentiles import Percentiles
from tests.harness.checks.sweep.test_scaling import a_finding
from tests.harness.planning.test_matrix_planner import asked, planned

OTHER = Backplane(name="made-up", title="made up for a test", broker=None, carrier=Target.DATABASE)
Change = Callable[[Cell], dict[str, object]]


def matrix_of(repeat: int = 2) -> MatrixPlan:
    """The decided system, a made-up system and the baseline."""
    with BACKPLANES.added(OTHER):
        return planned(asked("redis", "made-up", "memory", repeat=repeat))


def a_verdict(cell: Cell, *findings: Finding) -> Verdict:
    assert cell.plan is not None
    found = [a_finding("lost", Kind.SAFETY), a_finding("latency_ms.p99", Kind.PERFORMANCE)]
    return Verdict(status=Status.PASS, findings=(*found, a_finding("clock", Kind.VALIDITY), *findings), plan=cell.plan)


def figures_of(ran: RanCell, p99_ms: float, **changes: object) -> CellFigures:
    values: dict[str, object] = {
        "status": Status.PASS,
        "safety": Status.PASS,
        "latency": Percentiles(
            count=100,
            p50_ms=p99_ms / 2,
            p95_ms=p99_ms * 0.9,
            p99_ms=p99_ms,
            p99_low_ms=p99_ms - 1,
            p99_high_ms=p99_ms + 1,
        ),
        "acknowledgement": Percentiles(count=100, p50_ms=8.0, p99_ms=12.0),
        "fan_out": Percentiles(count=100, p50_ms=0.2, p99_ms=0.9),
        "delivery": DeliveryCounts(expected=100, delivered=100),
        "not_stored": 0,
        "cpu_us_per_delivery": 50.0 + ran.cell.servers,
        "broker_rss_bytes": 7_000_000,
        "start_s": 1.0 + ran.cell.repetition,
        **changes,
    }
    return dataclasses.replace(cell_figures(dataclasses.replace(ran, verdict=None)), **values)


def judged_matrix(
    plan: MatrixPlan,
    *,
    p99_ms: Callable[[Cell], float] = lambda cell: 20.0,
    extra: Callable[[Cell], tuple[Finding, ...]] = lambda cell: (),
    missing: Callable[[Cell], bool] = lambda cell: False,
    change: Change = lambda cell: {},
) -> Verdict:
    """The verdict over cells that are made by these rules."""
    runs = [
        RanCell(cell=cell, verdict=None if missing(cell) else a_verdict(cell, *extra(cell)), why="it was not run")
        for cell in plan.running
    ]

    def made_up(ran: RanCell) -> CellFigures:
        if ran.cell.plan is None or ran.verdict is None:
            return cell_figures(ran)
        return figures_of(ran, p99_ms(ran.cell), **change(ran.cell))

    with mock.patch.object(matrix_judging, "cell_figures", made_up), _known():
        verdict = matrix_judging.judge_matrix(plan, runs)
    json.dumps(msgspec.to_builtins(verdict.matrix), allow_nan=False)
    return verdict


def _known() -> mock._patch_dict:  # the made-up backplane is registered while the matrix is judged
    return mock.patch.dict(BACKPLANES._members, {OTHER.name: OTHER})


def statuses(verdict: Verdict) -> dict[str, Status]:
    return {finding.check: finding.status for finding in verdict.findings}


def of(backplane: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.system.backplane == backplane


def test_safe_cells_within_their_limits_pass() -> None:
    """Cells that cannot run here have a reason and do not count against the matrix."""
    verdict = judged_matrix(matrix_of())
    assert set(statuses(verdict).values()) == {Status.PASS}
    assert verdict.matrix is not None
    assert any(cell.because and not cell.run for cell in verdict.matrix.cells)


def test_a_loss_in_one_cell_fails_the_matrix() -> None:
    """An alternative system is judged by the same rules. The finding names the system that lost a delivery."""
    lost = a_finding("lost", Kind.SAFETY, Status.FAIL)
    verdict = judged_matrix(matrix_of(), extra=lambda cell: (lost,) if of("made-up")(cell) else ())
    assert verdict.status is Status.FAIL
    safety = next(finding for finding in verdict.findings if finding.check == "safety-of-every-system")
    assert "made-up" in safety.summary
    assert "redis" not in safety.summary


def test_a_system_beyond_its_limit_fails_the_matrix() -> None:
    """The finding names this system and no other."""
    late = a_finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL)
    verdict = judged_matrix(matrix_of(), extra=lambda cell: (late,) if of("made-up")(cell) else ())
    limits = next(finding for finding in verdict.findings if finding.check == "limits-of-every-system")
    assert limits.status is Status.FAIL
    assert "beyond a limit: made-up" in limits.summary


def test_a_cell_that_is_missing_leaves_the_matrix_undecided() -> None:
    """Safety and completeness do not pass without the evidence of every cell."""
    verdict = judged_matrix(matrix_of(), missing=lambda cell: cell.order == 1)
    found = statuses(verdict)
    assert found["matrix-completeness"] is Status.UNKNOWN
    assert found["safety-of-every-system"] is Status.UNKNOWN
    assert verdict.status is Status.UNKNOWN


@pytest.mark.parametrize("bias", list(Bias))
def test_a_biased_cell_leaves_performance_undecided(bias: Bias) -> None:
    """With a bias in either direction a FAIL of performance is not decided."""
    late = a_finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL)
    doubt = a_finding("clock", Kind.VALIDITY, Status.UNKNOWN, bias)
    verdict = judged_matrix(matrix_of(), extra=lambda cell: (late, doubt))
    assert statuses(verdict)["limits-of-every-system"] is Status.UNKNOWN


def test_systems_are_in_the_order_of_their_p99_and_separated_by_their_intervals() -> None:
    """20 ± 1 ms and 30 ± 1 ms are separated; 20 ± 1 ms and 21 ± 1 ms are not."""
    apart = judged_matrix(matrix_of(), p99_ms=lambda cell: 30.0 if of("made-up")(cell) else 20.0)
    assert apart.matrix is not None
    assert ("memory", "made-up", True) in _order(apart)
    close = judged_matrix(matrix_of(), p99_ms=lambda cell: 21.0 if of("made-up")(cell) else 20.0)
    assert all(not separated for _, _, separated in _order(close))


def _order(verdict: Verdict) -> list[tuple[str, str, bool]]:
    """The pairs of the order. Memory and redis are equal, so either may be first."""
    assert verdict.matrix is not None
    found = [(pair.faster, pair.slower, pair.separated) for pair in verdict.matrix.order]
    return [(fast.replace("redis", "memory"), slow, apart) for fast, slow, apart in found]


def test_the_row_of_a_system_has_the_median_of_its_repetitions_and_the_ends_of_all() -> None:
    """Percentiles are never averaged: 20, 24 and 40 ms give 24 ms, with ends at 19 and 41 ms."""
    values = {1: 20.0, 2: 24.0, 3: 40.0}
    verdict = judged_matrix(matrix_of(repeat=3), p99_ms=lambda cell: values[cell.repetition])
    assert verdict.matrix is not None
    row = next(one for one in verdict.matrix.systems if one.system == "redis")
    assert row.p99_ms is not None
    assert (row.p99_ms.value, row.p99_ms.low, row.p99_ms.high, row.p99_ms.cells) == (24.0, 19.0, 41.0, 3)
    assert [at.servers for at in row.cost] == [2, 4]
    assert row.operations.processes == 1
    assert row.operations.memory_bytes == 7_000_000


def test_claims_are_named_with_their_system() -> None:
    """The claim is 1 ms. A P99 below it supports the claim and a median above it contradicts the claim; between the two
    the outcome is not reached."""
    for p50, p99, outcome in (
        (0.2, 0.9, Outcome.SUPPORTED),
        (1.2, 2.0, Outcome.CONTRADICTED),
        (0.5, 2.0, Outcome.NOT_REACHED),
    ):
        slow = Percentiles(count=9, p50_ms=p50, p99_ms=p99)
        verdict = judged_matrix(matrix_of(), change=lambda cell, slow=slow: {"fan_out": slow})
        claim = next(one for one in verdict.claims if one.claim.startswith("redis: published"))
        assert claim.status is outcome


def test_the_backplane_decision_needs_another_system_that_is_separated() -> None:
    """The decision is supported if another system is shown to be slower, and contradicted if one is shown to be faster.
    Otherwise the outcome is not reached."""
    for other_ms, outcome in ((40.0, Outcome.SUPPORTED), (10.0, Outcome.CONTRADICTED), (20.0, Outcome.NOT_REACHED)):
        verdict = judged_matrix(
            matrix_of(),
            p99_ms=lambda cell, ms=other_ms: ms if of("made-up")(cell) else 20.0,
        )
        decision = next(one for one in verdict.decisions if one.adr == "ADR-0002")
        assert decision.status is outcome, other_ms


def test_an_acknowledged_message_that_is_not_stored_contradicts_the_decided_write_path() -> None:
    """The decision promises that every acknowledged message is stored."""
    verdict = judged_matrix(matrix_of(), change=lambda cell: {"not_stored": 1})
    decision = next(one for one in verdict.decisions if one.adr == "ADR-0001")
    assert decision.status is Outcome.CONTRADICTED


def test_one_cell_without_an_interval_separates_nothing() -> None:
    """One repetition does not show how far the next one would differ, even if two figures are far apart."""

    def bare(cell: Cell) -> dict[str, object]:
        p99_ms = 90.0 if of("made-up")(cell) else 20.0
        return {"latency": Percentiles(count=9, p50_ms=1.0, p95_ms=2.0, p99_ms=p99_ms)}

    verdict = judged_matrix(matrix_of(repeat=1), change=bare)
    assert all(not separated for _, _, separated in _order(verdict))
    decision = next(one for one in verdict.decisions if one.adr == "ADR-0002")
    assert decision.status is Outcome.NOT_REACHED
