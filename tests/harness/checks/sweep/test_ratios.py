"""Growth of the latency beyond the margin, at one of many server counts, is distinguished from chance."""

import dataclasses

import numpy as np
import pytest

from harness.checks.sweep import ratios
from harness.model.finding import Status
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.sweep_measurements import Ratio, SweepRun
from harness.model.sweep_plan import Curve
from tests.harness.checks.sweep.test_scaling import sweep_of

COUNTS = (2, 4, 8, 16)


def a_run(curve: Curve, servers: int, p99_ms: float, width: float = 0.05) -> SweepRun:
    return SweepRun(
        run=f"{curve}-{servers}",
        curve=curve,
        servers=servers,
        repetition=1,
        status=Status.PASS,
        clients=1,
        rate_hz=1.0,
        planned_deliveries_hz=1.0,
        latency=Percentiles(
            count=1_000, p99_ms=p99_ms, p99_low_ms=p99_ms * (1 - width), p99_high_ms=p99_ms * (1 + width)
        ),
    )


def entries(growth: float, noise: float, repeat: int, rng: np.random.Generator) -> list[Ratio]:
    """Both curves. Every count above the smallest has ``growth`` times the P99 of the smallest."""
    found: list[Ratio] = []
    for curve in Curve:
        rows = [
            a_run(
                curve, servers, 20.0 * (1.0 if servers == COUNTS[0] else growth) * float(np.exp(noise * rng.normal()))
            )
            for servers in COUNTS
            for _ in range(repeat)
        ]
        found += ratios.ratios(rows, curve)
    return found


@pytest.mark.parametrize("repeat", [2, 3])
def test_at_the_margin_one_sweep_of_twenty_fails(repeat: int) -> None:
    """Each of six true ratios is exactly at the margin. Without a correction one sweep of six failed."""
    rng, sweep = np.random.default_rng(1), sweep_of()
    made = [entries(ratios.STABLE_RATIO_LIMIT, 0.05, repeat, rng) for _ in range(400)]
    failed = [ratios.latency_stable(one, sweep).status is Status.FAIL for one in made]
    uncorrected = [any((entry.lower_bound or 0) > ratios.STABLE_RATIO_LIMIT for entry in one) for one in made]
    assert np.mean(failed) <= 0.06
    assert np.mean(uncorrected) > 0.1


def test_growth_far_beyond_the_margin_fails_and_none_passes() -> None:
    """The P99 doubles, or stays the same, with three runs of each point."""
    rng, sweep = np.random.default_rng(1), sweep_of()
    grown = ratios.latency_stable(entries(2.0, 0.05, 3, rng), sweep)
    assert grown.status is Status.FAIL
    assert "6 comparisons" in grown.confidence
    assert ratios.latency_stable(entries(1.0, 0.05, 3, rng), sweep).status is Status.PASS


def test_an_interval_without_an_upper_end_bounds_no_ratio() -> None:
    """Runs that are too short for an upper end leave the check undecided."""
    rows = [a_run(Curve.WEAK, servers, 20.0) for servers in COUNTS]
    latency = rows[0].latency
    assert latency is not None
    rows[0] = dataclasses.replace(rows[0], latency=dataclasses.replace(latency, p99_high_ms=None))
    found = ratios.ratios(rows, Curve.WEAK)
    assert [entry.upper_bound for entry in found] == [None, None, None]
    assert ratios.latency_stable(found, sweep_of()).status is Status.UNKNOWN
