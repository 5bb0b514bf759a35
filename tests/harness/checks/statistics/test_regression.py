import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.statistics.regression import (
    Sample,
    exponent,
    line,
    quadratic_share,
    ratio,
    scalability_law,
    spread_between_runs,
)

COUNTS = [2.0, 4.0, 8.0, 16.0]


def test_no_degree_of_freedom_bounds_nothing() -> None:
    """Two points lie on one line exactly: its slope is known, but the error is not."""
    found = line([2, 4], [1, 3])
    assert found is not None
    assert found.slope.value == pytest.approx(1)
    assert found.slope.upper_bound == math.inf


@given(intercept=st.floats(0, 1_000), slope=st.floats(0.5, 100))
def test_a_straight_line_is_found(intercept: float, slope: float) -> None:
    """Points on a line give its slope, its intercept and R². The exponent is at most 1, and no term in N² is found."""
    values = [intercept + slope * servers for servers in COUNTS]
    found, power, share = line(COUNTS, values), exponent(COUNTS, values), quadratic_share(COUNTS, values)
    assert found is not None
    assert power is not None
    assert share is not None
    assert (found.slope.value, found.intercept) == pytest.approx((slope, intercept), rel=1e-6, abs=1e-6)
    assert found.r2 == pytest.approx(1)
    assert power.slope.value <= 1 + 1e-9
    assert share.value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    """N^p has the exponent p."""
    found = exponent(COUNTS, [7 * servers**power for servers in COUNTS])
    assert found is not None
    assert found.slope.value == pytest.approx(power, abs=1e-9)


def test_the_share_of_a_quadratic_term_is_found() -> None:
    """100 + N²: at 16 servers the quadratic term is 256 of 356."""
    share = quadratic_share(COUNTS, [100 + servers**2 for servers in COUNTS])
    assert share is not None
    assert share.value == pytest.approx(256 / 356)


def test_the_interval_covers_the_true_slope_as_often_as_it_says() -> None:
    """About 95 % of 400 noisy lines have the true slope in their interval."""
    rng = np.random.default_rng(1)
    x = COUNTS * 3
    hits = 0
    for _ in range(400):
        found = line(x, (10 + 2 * np.array(x) + rng.normal(0, 1, len(x))).tolist())
        assert found is not None
        hits += found.slope.low <= 2 <= found.slope.high
    assert 0.92 <= hits / 400 <= 0.98


@pytest.mark.parametrize(("x", "y"), [([], []), ([2], [1]), ([2, 2], [1, 2])])
def test_too_few_points_give_nothing(x: list[float], y: list[float]) -> None:
    """A single server count does not determine a line."""
    assert line(x, y) is None
    assert exponent(x, y) is None
    assert quadratic_share(x, y) is None


def test_gunthers_law_gives_back_its_parameters() -> None:
    """The points are calculated from the law itself."""
    alpha, beta, gamma = 0.05, 0.002, 1_000.0
    points = [gamma * n / (1 + alpha * (n - 1) + beta * n * (n - 1)) for n in COUNTS]
    found = scalability_law(COUNTS, points)
    assert found is not None
    assert (found.alpha, found.beta, found.gamma) == pytest.approx((alpha, beta, gamma))


def test_a_ratio_of_single_runs_rests_on_their_intervals() -> None:
    """The upper bound is above the ratio and below the ratio of the most distant ends. Without intervals there is no
    bound."""
    found = ratio([Sample(value=10, low=9, high=11)], [Sample(value=12, low=11, high=13)])
    assert found is not None
    assert found.value == pytest.approx(1.2)
    assert 11 / 11 < found.lower_bound < 1.2 < found.upper_bound < 13 / 9
    assert ratio([Sample(value=10)], [Sample(value=12)]) is None


def test_a_ratio_of_repeated_runs_rests_on_the_spread_between_them() -> None:
    """The intervals within the runs are wide, but the runs are nearly equal. The run is the unit, so the bound is close
    to the ratio."""
    points = [[Sample(value=v, low=1, high=100) for v in values] for values in ((10.0, 10.1, 9.9), (11.0, 11.1, 10.9))]
    found = ratio(points[0], points[1], spread_between_runs(points))
    assert found is not None
    assert found.value == pytest.approx(1.1, rel=1e-3)
    assert 1.05 < found.lower_bound < 1.1 < found.upper_bound < 1.15


def test_a_p_value_agrees_with_the_bound() -> None:
    """One-sided at 5 %, the limit equals the lower bound."""
    x = COUNTS * 2
    found = line(x, (np.array(x) + np.random.default_rng(2).normal(0, 1, len(x))).tolist())
    assert found is not None
    assert found.slope.p_above(found.slope.lower_bound) == pytest.approx(0.05, abs=1e-4)
    assert found.slope.p_above(found.slope.value) == pytest.approx(0.5)
    assert found.slope.detectable(1.0, p_value=0.05) > 1.0 + found.slope.value - found.slope.lower_bound
    points = [[Sample(value=value) for value in values] for values in ((10.0, 10.3, 9.9), (12.0, 11.7, 12.2))]
    spread = spread_between_runs(points)
    bound = ratio(points[0], points[1], spread)
    assert bound is not None
    again = ratio(points[0], points[1], spread, limit=bound.lower_bound)
    assert again is not None
    assert again.p_value == pytest.approx(0.05, abs=1e-4)


def test_what_is_known_exactly_or_not_at_all_has_a_p_value() -> None:
    """Points on a line have no error. Two points have no degree of freedom."""
    exact = line(COUNTS, [2 * count for count in COUNTS])
    assert exact is not None
    assert exact.slope.p_above(1.5) == pytest.approx(0, abs=1e-6)
    assert exact.slope.p_above(2.5) == pytest.approx(1)
    unknown = line([2, 4], [1, 300])
    assert unknown is not None
    assert unknown.slope.p_above(0) == 1
    assert unknown.slope.detectable(0, p_value=0.05) == math.inf
