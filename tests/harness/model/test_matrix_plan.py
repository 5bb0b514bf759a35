"""The names of the systems and cells of a matrix."""

import pytest

from harness.model.matrix_plan import Cell, MatrixPlan, System
from tests.harness.plans import a_plan


def a_cell(system: System, order: int = 7, *, runs: bool = True) -> Cell:
    return Cell(
        order=order,
        system=system,
        scenario="scenario-b",
        servers=4,
        repetition=2,
        plan=a_plan() if runs else None,
    )


@pytest.mark.parametrize(
    ("system", "name", "path", "folder"),
    [
        (System(backplane="redis", write_path="db-first"), "redis", "db-first", "redis"),
        (
            System(backplane="redis", write_path="broker-first"),
            "redis broker-first",
            "broker-first",
            "redis-broker-first",
        ),
        (
            System(backplane="redis", write_path="db-first", synchronous_commit="off"),
            "redis synchronous_commit=off",
            "db-first synchronous_commit=off",
            "redis-synchronous-commit-off",
        ),
        (
            System(backplane="postgres-poll", write_path="db-first", settings=("interval_ms=2.5", "x=1")),
            "postgres-poll interval_ms=2.5 x=1",
            "db-first",
            "postgres-poll-interval-ms-2-5-x-1",
        ),
    ],
)
def test_only_what_is_not_the_default_stands_in_a_name(system: System, name: str, path: str, folder: str) -> None:
    """The name of a folder has only letters, digits and hyphens. It begins with the number in the order of running."""
    assert (system.name, system.path_name) == (name, path)
    assert a_cell(system).name == f"007-{folder}-scenario-b-4x2"


def test_cells_that_cannot_run_here_are_not_running() -> None:
    """The other cells keep their order."""
    system = System(backplane="redis", write_path="db-first")
    cells = tuple(a_cell(system, order, runs=order != 2) for order in (1, 2, 3))
    plan = MatrixPlan(
        systems=(system,), scenarios=("scenario-b",), cells=cells, repeat=1, predicted_s=1.0, reference=a_plan()
    )
    assert [cell.order for cell in plan.running] == [1, 3]
