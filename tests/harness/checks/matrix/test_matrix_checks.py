"""The four checks of a matrix, each applied to cells of a few findings."""

from dataclasses import replace

import pytest

from harness.checks.check import Answer
from harness.checks.matrix.cell_figures import RanCell
from harness.checks.matrix.matrix_checks import MATRIX_CHECKS, MatrixCase
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.matrix_plan import Cell, MatrixPlan, System
from tests.harness.checks.sweep.test_scaling import a_finding
from tests.harness.plans import a_plan

SAFETY, LIMITS = "safety-of-every-system", "limits-of-every-system"
COMPLETE, VALID = "matrix-completeness", "validity-of-every-cell"


def a_cell(order: int = 1, backplane: str = "redis", *, runs: bool = True) -> Cell:
    return Cell(
        order=order,
        system=System(backplane=backplane, write_path="db-first"),
        scenario="scenario-a",
        servers=2,
        repetition=1,
        plan=a_plan() if runs else None,
    )


def ran(cell: Cell, *findings: Finding, why: str = "") -> RanCell:
    """The cell with these findings. Without findings it left no verdict."""
    verdict = Verdict(status=Status.PASS, findings=findings, plan=a_plan()) if findings else None
    return RanCell(cell=cell, verdict=verdict, why=why)


def asked(check: str, *runs: RanCell, left_out: int = 0) -> Answer:
    cells = (*(one.cell for one in runs), *(a_cell(90 + n, "memory", runs=False) for n in range(left_out)))
    plan = MatrixPlan(systems=(), scenarios=("scenario-a",), cells=cells, repeat=1, predicted_s=0.0, reference=a_plan())
    return MATRIX_CHECKS.get(check).function(MatrixCase(plan=plan, runs=runs))


def lost(status: Status = Status.PASS, messages: int = 1_000, pairs: int | None = 20_000) -> Finding:
    return replace(a_finding("lost", Kind.SAFETY, status), samples=messages, pairs=pairs)


def late(status: Status = Status.PASS) -> Finding:
    return a_finding("latency_ms.p99", Kind.PERFORMANCE, status)


def clock(status: Status = Status.PASS, bias: Bias | None = None) -> Finding:
    return a_finding("clock", Kind.VALIDITY, status, bias)


@pytest.mark.parametrize("check", [SAFETY, LIMITS, COMPLETE, VALID])
def test_a_matrix_without_a_cell_passes_nothing(check: str) -> None:
    """Without evidence there is no PASS."""
    assert asked(check).status is Status.UNKNOWN


@pytest.mark.parametrize(("check", "finding"), [(SAFETY, late()), (LIMITS, lost())])
def test_a_cell_without_a_finding_of_the_kind_leaves_it_undecided(check: str, finding: Finding) -> None:
    """A cell without findings of this kind is no evidence for it. A FAIL of another cell still counts."""
    whole, bare = ran(a_cell(1), lost(), late()), ran(a_cell(2), finding)
    assert asked(check, whole).status is Status.PASS
    assert asked(check, whole, bare).status is Status.UNKNOWN
    broken = ran(a_cell(3), lost(Status.FAIL), late(Status.FAIL))
    assert asked(check, whole, bare, broken).status is Status.FAIL


def test_safety_sums_deliveries_and_bounds_the_loss_by_messages() -> None:
    """Two cells of 1 000 messages and 20 000 deliveries each. A check that does not count losses adds nothing."""
    order = replace(a_finding("order", Kind.SAFETY), samples=77, pairs=77)
    found = asked(SAFETY, ran(a_cell(1), lost(), order), ran(a_cell(2), lost()))
    assert (found.samples, found.pairs, found.measured) == (2_000, 40_000, {"not_passed": 0})
    assert "40,000 expected deliveries" in found.summary
    assert found.confidence != ""
    assert asked(SAFETY, ran(a_cell(1), lost(Status.FAIL))).confidence == ""


def test_safety_names_the_systems_and_the_cells() -> None:
    """Each system is named once, in alphabetical order. A sound system is not named; a cell without a verdict is."""
    runs = (
        ran(a_cell(1, "redis"), lost()),
        ran(a_cell(2, "nats"), lost(Status.FAIL), a_finding("order", Kind.SAFETY, Status.UNKNOWN)),
        ran(a_cell(3, "mesh"), why="no port"),
    )
    found = asked(SAFETY, *runs)
    assert found.measured == {"not_passed": 3}
    assert found.summary.endswith("3 cells did not pass: mesh, nats")
    assert found.examples == (
        "002-nats-scenario-a-2x1: lost",
        "002-nats-scenario-a-2x1: order",
        "003-mesh-scenario-a-2x1: left no verdict",
    )


def test_limits_name_only_systems_that_are_beyond_one() -> None:
    """An undecided system is an example, but is not named as beyond a limit."""
    undecided, beyond = ran(a_cell(1, "redis"), late(Status.UNKNOWN)), ran(a_cell(2, "nats"), late(Status.FAIL))
    alone = asked(LIMITS, undecided)
    assert (alone.status, alone.measured) == (Status.UNKNOWN, {"systems_beyond": 0})
    assert "beyond a limit" not in alone.summary
    both = asked(LIMITS, undecided, beyond)
    assert (both.status, both.measured) == (Status.FAIL, {"systems_beyond": 1})
    assert both.summary == "2 performance checks of 2 cells did not pass; beyond a limit: nats"
    assert len(both.examples) == 2


def test_completeness_counts_what_can_run_and_tells_what_cannot() -> None:
    """A cell that cannot run here does not count as missing. A cell without a verdict does, with or without a
    reason."""
    whole = asked(COMPLETE, ran(a_cell(1), lost()), left_out=2)
    assert (whole.status, whole.measured, whole.expected, whole.examples) == (Status.PASS, 1, 1, ())
    assert "2 cells cannot run here" in whole.summary
    gap = asked(COMPLETE, ran(a_cell(1), lost()), ran(a_cell(2), why="no port"), ran(a_cell(3)))
    assert (gap.status, gap.measured, gap.expected) == (Status.UNKNOWN, 1, 3)
    assert [text.partition(": ")[2] for text in gap.examples] == ["no port", "left no verdict"]
    assert "cannot run here" not in gap.summary


def test_validity_takes_the_bias_of_the_cells() -> None:
    """One optimistic finding among pessimistic ones makes the result optimistic."""
    sound = ran(a_cell(1), clock())
    low = ran(a_cell(2), clock(Status.UNKNOWN, Bias.PESSIMISTIC))
    high = ran(a_cell(3), clock(Status.UNKNOWN, Bias.OPTIMISTIC))
    assert asked(VALID, sound).status is Status.PASS
    pessimistic = asked(VALID, sound, low)
    assert (pessimistic.status, pessimistic.bias) == (Status.UNKNOWN, Bias.PESSIMISTIC)
    assert pessimistic.measured == {"biased_cells": 1}
    assert pessimistic.summary.endswith("1 of 2 cells: clock")
    both = asked(VALID, sound, low, high)
    assert (both.bias, both.measured) == (Bias.OPTIMISTIC, {"biased_cells": 2})


def test_a_cell_without_a_validity_finding_may_hide_anything() -> None:
    """The bias of such a cell is optimistic, even if the other cells are sound."""
    found = asked(VALID, ran(a_cell(1), clock()), ran(a_cell(2), lost()))
    assert (found.status, found.bias, found.measured) == (Status.UNKNOWN, Bias.OPTIMISTIC, {"biased_cells": 1})
    assert "without validity findings" in found.summary


def test_at_most_twenty_examples_are_kept() -> None:
    """All cells are counted."""
    runs = [ran(a_cell(number), lost(Status.FAIL), late(Status.FAIL)) for number in range(21)]
    for check in (SAFETY, LIMITS):
        assert len(asked(check, *runs).examples) == 20
    assert asked(SAFETY, *runs).measured == {"not_passed": 21}
    assert len(asked(COMPLETE, *[ran(a_cell(number)) for number in range(21)]).examples) == 20
