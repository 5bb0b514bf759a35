"""Which cells a matrix runs, with their sizes and their order, and which cells it leaves out for which reason."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest

from harness.catalog import find
from harness.model.backplane import BACKPLANES, Backplane
from harness.model.errors import UsageError
from harness.model.fault import Target
from harness.model.matrix_plan import MATRIX, MatrixPlan
from harness.model.scenario import Size
from harness.planning.matrix_planner import MatrixRequest, matrix_objections, plan_matrix
from harness.planning.request import Request
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION

OTHER = Backplane(name="made-up", title="made up for a test", broker=None, carrier=Target.DATABASE)
SCENARIOS = ("scenario-a", "scenario-b", "scenario-c")


def asked(*backplanes: str, repeat: int = 1, **base: object) -> MatrixRequest:
    return MatrixRequest(
        backplanes=backplanes or ("redis", "memory"),
        write_paths=("db-first",),
        repeat=repeat,
        base=Request(**{"size": Size.SMOKE} | base),  # type: ignore[arg-type]  # fields of Request
    )


def planned(request: MatrixRequest, scenarios: Sequence[str] = SCENARIOS, lacks: Sequence[str] = ()) -> MatrixPlan:
    numbers = count()
    return plan_matrix(
        request,
        [find(name) for name in scenarios],
        lacks=lambda request: lacks if request.backplane != "redis" else (),
        limits=MACHINE,
        calibration=CALIBRATION,
        run_id=lambda: f"r{next(numbers)}",
        adapter_lines={},
    )


def test_every_cell_is_run_as_often_as_asked_in_a_seeded_order() -> None:
    """Repetitions are complete and follow each other. Each has its own order, and the same seed gives the same
    orders."""
    plan = planned(asked("redis", repeat=3, seed=5))
    points = Counter((cell.scenario, cell.servers) for cell in plan.running)
    assert set(points.values()) == {3}
    blocks = [plan.running[n * len(points) : (n + 1) * len(points)] for n in range(3)]
    assert [{cell.repetition for cell in block} for block in blocks] == [{1}, {2}, {3}]
    assert len({tuple((cell.scenario, cell.servers) for cell in block) for block in blocks}) > 1
    again = planned(asked("redis", repeat=3, seed=5))
    assert [cell.name for cell in again.cells] == [cell.name for cell in plan.cells]
    ids = [cell.plan.run_id for cell in plan.running if cell.plan]
    assert len(set(ids)) == len(ids)


def test_all_systems_have_the_same_load() -> None:
    """The clients, rate, audience and duration depend on the scenario and the number of servers, not on the system."""
    with BACKPLANES.added(OTHER):
        plan = planned(asked("redis", "made-up", size=Size.FIT))
    for scenario in SCENARIOS:
        for servers in {cell.servers for cell in plan.running if cell.scenario == scenario}:
            plans = [c.plan for c in plan.running if (c.scenario, c.servers) == (scenario, servers) and c.plan]
            assert len(plans) == 2
            assert len({(p.clients, p.rate_hz, p.audience, p.duration_s, p.warm_up_s) for p in plans}) == 1
            assert all(p.pilot is None for p in plans)


def test_a_backplane_of_one_server_runs_with_one_and_all_clients() -> None:
    """The baseline has the same load on one server. Scaling does not apply to it."""
    plan = planned(asked("redis", "memory"))
    cells = {cell.scenario: cell for cell in plan.cells if cell.system.backplane == "memory"}
    alone = cells["scenario-a"].plan
    beside = next(c.plan for c in plan.running if c.scenario == "scenario-a" and c.system.backplane == "redis")
    assert alone is not None
    assert beside is not None
    assert (alone.servers, alone.clients) == (1, beside.clients)
    assert "no such part" in cells["scenario-b"].because
    assert "at most 1 server" in cells["scenario-c"].because


def test_each_system_has_its_own_carrier_broken() -> None:
    """Scenario B injects its fault into the broker. If the database carries the messages, the fault hits the
    database."""
    with BACKPLANES.added(OTHER):
        plan = planned(asked("redis", "made-up"), ("scenario-b",))
    broken = {cell.system.backplane: cell.plan.faults[0].target for cell in plan.running if cell.plan}
    assert broken == {"redis": Target.BROKER, "made-up": Target.DATABASE}


def test_what_this_machine_lacks_is_a_cell_with_its_reason() -> None:
    """Other systems still run. The cell does not count in the predicted time."""
    with BACKPLANES.added(OTHER):
        plan = planned(asked("redis", "made-up"), ("scenario-a",), lacks=("expected Java 17, found none",))
    left_out = [cell for cell in plan.cells if cell.plan is None]
    assert [(cell.system.backplane, cell.because) for cell in left_out] == [("made-up", "expected Java 17, found none")]
    assert plan.predicted_s == pytest.approx(sum(cell.predicted_s for cell in plan.running))
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)


def test_a_matrix_without_a_cell_is_refused() -> None:
    """One message gives the reasons. A verdict over no cells would mean nothing."""
    with BACKPLANES.added(OTHER), pytest.raises(UsageError, match="no cell"):
        planned(asked("made-up"), ("scenario-a",), lacks=("expected Java 17, found none",))


def test_the_size_is_that_of_the_decided_system_on_half_of_the_machine() -> None:
    """Other systems use more CPU than the prediction says, so the cells use at most half of the cores."""
    plan = planned(asked("redis", size=Size.FIT), ("scenario-a",))
    sized = plan.running[0].plan
    assert sized is not None
    assert sized.need.cores <= 0.5 * MACHINE.cores
    assert plan.reference.scenario == MATRIX


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backplanes": ("redis", "redis")}, "--backplanes"),
        ({"write_paths": ("db-first", "db-first")}, "--write-paths"),
        ({"repeat": 101}, "--repeat"),
        ({"base": Request(clients=-1)}, "clients"),
        ({"base": Request(rate_hz=0.0)}, "rate"),
    ],
)
def test_what_is_wrong_for_every_system_is_refused(changes: dict[str, object], message: str) -> None:
    """If no system can run with an option, the request is refused. A cell's reason is for one system only."""
    request = dataclasses.replace(asked(), **changes)  # type: ignore[arg-type]  # fields of MatrixRequest
    assert any(message in found for found in matrix_objections(request, [find("scenario-a")]))


def test_a_system_may_have_settings_and_a_variation_of_its_write_path() -> None:
    """The name of the system and the plans of its cells hold both. Each other write path is tried on one backplane
    only."""
    request = dataclasses.replace(
        asked("redis", "postgres-poll:interval_ms=10"),
        write_paths=("db-first", "broker-first", "db-first:synchronous_commit=off"),
    )
    plan = planned(request, ("scenario-a",))
    assert [system.name for system in plan.systems] == [
        "redis",
        "postgres-poll interval_ms=10",
        "redis broker-first",
        "redis synchronous_commit=off",
    ]
    plans = {cell.system.name: cell.plan for cell in plan.running}
    polled, unflushed = plans["postgres-poll interval_ms=10"], plans["redis synchronous_commit=off"]
    assert polled is not None
    assert ("interval_ms", 10.0) in polled.backplane_settings
    assert unflushed is not None
    assert not unflushed.synchronous_commit
    assert all(cell.name.replace("-", "").isalnum() for cell in plan.cells)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backplanes": ("rabbitmq",)}, "--backplanes rabbitmq: expected one of redis"),
        ({"backplanes": ("redis:interval_ms=10",)}, "interval_ms"),
        ({"backplanes": ("postgres-poll:interval_ms=never",)}, "interval_ms=never"),
        ({"backplanes": ()}, "expected a name"),
        ({"write_paths": ("later",)}, "--write-paths later: expected one of db-first"),
        ({"write_paths": ("db-first:flush=no",)}, "synchronous_commit=on or off"),
    ],
)
def test_names_and_settings_that_do_not_exist_are_refused(changes: dict[str, object], message: str) -> None:
    """The refusal names what exists."""
    request = dataclasses.replace(asked(), **changes)  # type: ignore[arg-type]  # fields of MatrixRequest
    assert any(message in found for found in matrix_objections(request, [find("scenario-a")]))
