"""Which numbers sizing lowers, and in which order."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.plan import Calibration
from harness.observation.calibration import REFERENCE_COST
from harness.planning.request import Request
from harness.planning.sizing import FIT_SHARE, Sized, fit, need, shortfalls
from tests.harness.planning.test_planner import MACHINE, planned

SCENARIO_A = Sized(servers=4, clients=10_000, rate_hz=1_000, audience=10_000, seconds=65)


def slower(factor: float) -> Calibration:
    """A machine on which everything costs ``factor`` times as much as on the reference machine."""
    return replace(
        REFERENCE_COST, **{field.name: getattr(REFERENCE_COST, field.name) * factor for field in fields(REFERENCE_COST)}
    )


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7, 3.0, 5.0])
def test_clients_are_not_lowered_for_cpu_that_they_do_not_take(factor: float) -> None:
    """A slow machine gets a smaller audience or a lower rate. It keeps 10,000 silent connections, because they use
    almost no CPU."""
    load, _ = fit(
        SCENARIO_A,
        ("audience", "clients", "rate"),
        everyone=True,
        cost=slower(factor),
        limits=MACHINE,
    )
    assert load.clients == 10_000
    assert not shortfalls(need(load, slower(factor), MACHINE), MACHINE, FIT_SHARE)


def test_clients_are_lowered_for_memory() -> None:
    """Connections use memory."""
    small = replace(MACHINE, memory_available_bytes=1_400_000_000)
    load, reductions = fit(
        SCENARIO_A, ("audience", "clients", "rate"), everyone=True, cost=REFERENCE_COST, limits=small
    )
    assert 1_000 <= load.clients < 10_000
    assert "memory" in next(cut.because for cut in reductions if cut.what == "clients")


@given(factor=st.floats(0.2, 20), audience=st.integers(20, 10_000), memory_gb=st.integers(1, 30))
def test_a_lowered_audience_does_not_grow_again(factor: float, audience: int, memory_gb: int) -> None:
    """The audience follows the clients only while it still means all clients."""
    limits = replace(MACHINE, memory_available_bytes=memory_gb * 10**9)
    asked = replace(SCENARIO_A, audience=audience)
    load, _ = fit(
        asked, ("audience", "clients", "rate"), everyone=audience == 10_000, cost=slower(factor), limits=limits
    )
    assert load.deliveries_hz <= asked.deliveries_hz
    assert load.audience <= asked.audience
    assert load.audience <= load.clients


def test_clients_are_not_lowered_below_a_given_audience() -> None:
    """The clients never become fewer than an audience that an option gives. What still does not fit is a shortfall."""
    scarce = replace(MACHINE, memory_available_bytes=900_000_000)
    made = planned(Request(audience=7_000), scarce)
    assert (made.plan.audience, made.plan.clients) == (7_000, 7_000)
    assert any(short.startswith("memory") for short in made.shortfalls)
    assert planned(Request(audience=20), scarce).plan.clients < 7_000
