"""The spread between runs."""

import math

import numpy as np
import pytest

from harness.comparison.spread import RUNS_AT_LEAST, pooled, spread_of, within
from harness.model.history import Measured
from harness.model.measure import ASSUMED_SPREAD_PERCENT, MEASURES
from tests.harness.history.entries import nights

CPU = MEASURES.get("servers_cpu_us_per_delivery")


def values(count: int, spread: float = 0.05) -> list[float]:
    return [float(value) for value in np.exp(np.random.default_rng(1).normal(0.0, spread, count))]


def test_a_short_history_tells_nothing() -> None:
    """With fewer than five runs a large spread is assumed, and marked as assumed."""
    found = spread_of(CPU, nights(values(RUNS_AT_LEAST - 1)))
    assert found.runs == 0
    assert found.percent == pytest.approx(ASSUMED_SPREAD_PERCENT[CPU.group])


def test_a_long_history_gives_its_spread() -> None:
    """The newest 30 runs are used. There are fewer degrees of freedom than runs, because the median absolute deviation
    is inexact."""
    found = spread_of(CPU, nights(values(60)))
    assert found.sigma == pytest.approx(0.05, rel=0.4)
    assert found.runs == 30
    assert found.freedom == 11


def test_one_wild_night_does_not_widen_a_long_history() -> None:
    """This holds for ten runs or more."""
    honest = values(30)
    assert spread_of(CPU, nights([*honest[:-1], 50.0])).sigma < 2 * spread_of(CPU, nights(honest)).sigma


def test_steps_that_repeat_still_have_a_spread() -> None:
    """A capacity that is mostly 500 and sometimes 400 has a spread, although its median absolute deviation is 0."""
    found = spread_of(MEASURES.get("capacity"), nights([500.0] * 10 + [400.0, 400.0], "capacity"))
    assert found.sigma > 0.05


def test_the_interval_of_a_run_is_a_spread_too() -> None:
    """An interval is ±1.96 standard deviations. If an end is missing, it gives no spread."""
    assert within(Measured(value=10.0, low=10 * math.exp(-0.196), high=10 * math.exp(0.196))) == pytest.approx(
        0.1, rel=1e-4
    )
    assert within(Measured(value=10.0, low=9.0)) == 0.0


def test_groups_give_their_own_spread() -> None:
    """Four degrees of freedom are needed. The levels of the groups do not count."""
    found = pooled([[0.0, 0.1, 0.2], [5.0, 5.1, 5.2]])
    assert found is not None
    assert found.sigma == pytest.approx(0.1)
    assert pooled([[0.0, 0.1], [5.0, 5.1]]) is None
