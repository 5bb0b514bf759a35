"""A cost that grows with N² does not pass as a linear cost, even if its constant part is large."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.checks.sweep import growth
from harness.model.finding import Status
from harness.model.measurements.sweep_measurements import Fit, SweepRun
from harness.model.sweep_plan import Curve

COUNTS = (2, 4, 8, 16)
Law = Callable[[int], float]


def half_quadratic(servers: int) -> float:
    """At 16 servers N² makes up half of the cost. The exponent is still below 1."""
    return 1_000 + 1_000 / 256 * servers**2


def linear(servers: int) -> float:
    return 1_000 + 100 * servers


def a_fit(law: Law, noise: float, repeat: int, rng: np.random.Generator) -> Fit:
    rows = [
        SweepRun(
            run=f"{servers}x{repetition}",
            curve=Curve.CONSTANT,
            servers=servers,
            repetition=repetition,
            status=Status.PASS,
            clients=1,
            rate_hz=1.0,
            planned_deliveries_hz=1.0,
            cpu_us_per_message=law(servers) * (1 + noise * rng.normal()),
        )
        for servers in COUNTS
        for repetition in range(repeat)
    ]
    fit = growth.fit(rows, Curve.CONSTANT, "cpu_us_per_message")
    assert fit is not None
    return fit


def shares(law: Law, noise: float, repeat: int, sweeps: int = 200) -> dict[Status, float]:
    rng = np.random.default_rng(1)
    found = [a_fit(law, noise, repeat, rng).status for _ in range(sweeps)]
    return {status: found.count(status) / sweeps for status in Status}


@pytest.mark.parametrize("repeat", [1, 3])
def test_a_cost_that_is_half_quadratic_does_not_pass(repeat: int) -> None:
    """With 5 % noise, 80 of 100 such sweeps passed by the exponent alone."""
    assert shares(half_quadratic, 0.05, repeat)[Status.PASS] <= 0.05


def test_a_cost_that_is_half_quadratic_fails_where_it_is_measured_well() -> None:
    """Each point has three runs with 2 % noise."""
    assert shares(half_quadratic, 0.02, 3)[Status.FAIL] >= 0.9


def test_a_linear_cost_passes_where_it_is_measured_well() -> None:
    """Three runs of each point with 2 % noise nearly always PASS. With more noise they hardly ever FAIL."""
    assert shares(linear, 0.02, 3)[Status.PASS] >= 0.8
    for noise, repeat in ((0.05, 1), (0.05, 3)):
        assert shares(linear, noise, repeat)[Status.FAIL] <= 0.05


def test_the_finding_states_the_power_of_the_sweep() -> None:
    """The finding states the share of N² that the runs would find in 4 of 5 sweeps. The simulated sweeps find it that
    often."""
    noise, repeat = 0.02, 3
    fit = a_fit(linear, noise, repeat, np.random.default_rng(2))
    assert fit.detectable_share is not None
    answer = growth.judged("cpu-growth", [fit], [])
    assert f"would find a share of {fit.detectable_share:.0%} in 4 of 5 sweeps" in answer.summary
    typical = float(
        np.median([a_fit(linear, noise, repeat, np.random.default_rng(n)).detectable_share for n in range(50)])
    )

    def as_much(servers: int) -> float:
        return linear(servers) + linear(16) * typical / (1 - typical) / 256 * servers**2

    assert shares(as_much, noise, repeat)[Status.FAIL] == pytest.approx(0.8, abs=0.15)


def test_two_counts_have_no_fit() -> None:
    """Two points lie on every curve."""
    assert growth.judged("cpu-growth", [], []).status is Status.UNKNOWN


def test_less_than_the_plan_does_not_pass() -> None:
    """If one of two curves is missing, or a run lacks the figure, there is no PASS, and the finding names the missing
    part. A FAIL stays."""
    rng = np.random.default_rng(3)
    good, bad = a_fit(linear, 0.0001, 3, rng), a_fit(lambda servers: float(servers**2), 0.0001, 3, rng)
    whole = [SweepRun(**shared(run), cpu_us_per_message=1.0) for run in ("2x1", "4x1")]
    assert growth.judged("cpu-growth", [good], whole).status is Status.PASS
    dropped = growth.judged("cpu-growth", [good], [*whole, SweepRun(**shared("8x1"))])
    assert dropped.status is Status.UNKNOWN
    assert "1 of 3 runs give no such figure: 8x1" in dropped.summary
    weak = SweepRun(**(shared("16x1") | {"curve": Curve.WEAK}), cpu_us_per_message=1.0)
    one_curve = growth.judged("cpu-growth", [good], [*whole, weak])
    assert one_curve.status is Status.UNKNOWN
    assert "the weak curve was measured at fewer than 3 server counts" in one_curve.summary
    assert growth.judged("cpu-growth", [bad], [*whole, weak]).status is Status.FAIL


def shared(run: str) -> dict[str, Any]:
    values = {"servers": 2, "repetition": 1, "clients": 1, "rate_hz": 1.0, "planned_deliveries_hz": 1.0}
    return {"run": run, "curve": Curve.CONSTANT, "status": Status.PASS, **values}
