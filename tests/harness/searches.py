"""Made-up capacity searches for tests. No figure here was measured."""

from harness.capacity_experiment import capacity_of
from harness.model.capacity import (
    Capacity,
    CapacityPlan,
    CapacityStep,
    CoresUsed,
    Exhaustion,
    Resource,
    TrialResult,
    Vary,
)
from harness.planning.capacity_planner import plan_capacity
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import a_plan

HELD, BROKE = TrialResult.HELD, TrialResult.BROKE
GENERATOR, UNDECIDED = TrialResult.GENERATOR, TrialResult.UNDECIDED


def a_search() -> CapacityPlan:
    """A search by rate that starts at 1,000 messages/s."""
    plan = a_plan(clients=1_000, audience=20, rate_hz=1_000.0, servers=4, command=("capacity", "scenario-a"))
    return plan_capacity(plan, Vary.RATE, 100.0, MACHINE).plan


def a_step(number: int, value: int, result: TrialResult = HELD) -> CapacityStep:
    """One step. Latency and CPU grow with the load."""
    held = result is HELD
    return CapacityStep(
        number=number,
        value=value,
        result=result,
        because="P99 is below 100 ms" if held else "P99 is not below 100 ms",
        run=f"runs/{number:02}-rate-{value}",
        expected=value * 200,
        missing=0,
        deliveries_hz=20.0 * value,
        p50_ms=value / 100,
        p99_ms=value / 25 if held else value / 5,
        cores=CoresUsed(
            servers=value / 2_000, database=value / 5_000, broker=0.1, generator=value / 4_000, machine=value / 1_000
        ),
        exhaustion=None if held else Exhaustion(resource=Resource.SERVER_CPU, because="all 2 cores were busy"),
    )


def a_capacity(*steps: CapacityStep) -> Capacity:
    """The result of these steps. Without steps it is the result of a whole search."""
    whole = (
        a_step(1, 1_000),
        a_step(2, 2_000, BROKE),
        a_step(3, 1_400),
        a_step(4, 1_700, BROKE),
        a_step(5, 1_500, BROKE),
        a_step(6, 1_400),
    )
    return capacity_of(a_search(), list(steps or whole))
