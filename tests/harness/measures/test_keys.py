"""Keys are equal if runs can be compared, and different if they cannot."""

from dataclasses import replace

import pytest

from harness.measures.keys import NOT_KNOWN, key_of, machine_parts, plan_parts
from harness.model.fault import Fault, FaultKind, FaultTimes, Moment, Target, Unit
from harness.model.scenario import Size
from tests.harness.plans import a_plan

MACHINE = {
    "cpu": "A processor",
    "limits": {"cores": 2},
    "memory_bytes": 24 * 2**30 + 5,
    "system": "Linux 6.18.3-5-generic",
    "virtualisation": "none",
    "python": "3.11.7",
}


@pytest.mark.parametrize(
    "changes",
    [{"servers": 4}, {"rate_hz": 11.0}, {"backplane": "memory"}, {"duration_s": 2.0}, {"recovery": "off"}],
)
def test_another_load_or_architecture_is_another_plan(changes: dict[str, object]) -> None:
    """Each of these changes affects the figures."""
    assert key_of(plan_parts(a_plan())) != key_of(plan_parts(a_plan(**changes)))


@pytest.mark.parametrize(
    "changes",
    [{"seed": 2}, {"size": Size.FULL}, {"run_id": "other"}, {"server_module": "mine"}, {"command": ("run", "x")}],
)
def test_what_changes_no_load_is_the_same_plan(changes: dict[str, object]) -> None:
    """The server's module is the subject of a comparison, not a part of the plan."""
    assert key_of(plan_parts(a_plan())) == key_of(plan_parts(a_plan(**changes)))


def test_when_a_fault_really_happened_is_not_planned() -> None:
    """Two runs of one plan have different times of the same fault, and the fault may hit another server."""
    fault = Fault(
        kind=FaultKind.STOP,
        target=Target.SERVER,
        at=Moment(unit=Unit.SECOND, value=1),
        until=Moment(unit=Unit.AFTER, value=2),
    )
    done = replace(fault, parts=("server-2",), times=FaultTimes(begun_ns=5))
    assert plan_parts(a_plan(faults=(fault,))) == plan_parts(a_plan(faults=(done,)))
    assert plan_parts(a_plan(faults=(fault,))) != plan_parts(a_plan())


def test_a_machine_is_what_its_figures_depend_on() -> None:
    """Patch levels and a few bytes of memory do not count. Kernel, Python and processor do."""
    assert machine_parts(MACHINE) == {
        "cpu": "A processor",
        "cores": "2",
        "memory_gib": "24",
        "kernel": "Linux 6.18",
        "virtualisation": "none",
        "python": "3.11",
    }
    same = MACHINE | {"system": "Linux 6.18.9", "python": "3.11.9", "memory_bytes": 24 * 2**30 - 5}
    assert key_of(machine_parts(same)) == key_of(machine_parts(MACHINE))


def test_a_machine_that_is_not_described_is_not_known() -> None:
    """All parts of the machine are unknown if the run ended before machine.json was written."""
    assert set(machine_parts({}).values()) == {NOT_KNOWN}
