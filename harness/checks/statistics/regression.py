"""How does a figure grow with the number of servers? Straight lines and exponents with their uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.interval import CONFIDENCE
from harness.checks.statistics.student import student_probability, student_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its standard error, its two-sided interval, and the one-sided bound on each side at the same
    confidence.

    Without a degree of freedom (as many parameters as points) the bounds are infinite, because the error is not known.
    """

    value: float
    error: float
    freedom: int
    low: float
    high: float
    lower_bound: float
    upper_bound: float

    def p_above(self, limit: float) -> float:
        """How likely such a value, or a larger one, is if the true one is ``limit``: small if the value is larger."""
        return _p_above(self.value - limit, self.error, self.freedom)

    def detectable(self, limit: float, *, p_value: float, power: float = 0.8) -> float:
        """The least true value for which `p_above` is ``p_value`` or less in a share ``power`` of all repetitions."""
        if self.freedom < 1:
            return math.inf
        reach = student_quantile(1 - p_value, self.freedom) + student_quantile(power, self.freedom)
        return limit + reach * self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """y = intercept + slope × x by least squares; ``r2`` is the share of y's variance that it explains."""

    intercept: float
    slope: Estimate
    r2: float


def line(x: Sequence[float], y: Sequence[float]) -> Line | None:
    """None for fewer than two different x."""
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(set(x)) < 2:
        return None
    design = np.column_stack([np.ones_like(xs), xs])
    found, errors, freedom = _least_squares(design, ys)
    total = float(((ys - ys.mean()) ** 2).sum())
    left = float(((ys - design @ found) ** 2).sum())
    r2 = 1 - left / total if total > 0 else 1.0
    return Line(intercept=float(found[0]), slope=_estimate(float(found[1]), float(errors[1]), freedom), r2=r2)


def exponent(x: Sequence[float], y: Sequence[float]) -> Line | None:
    """The line through (log x, log y): its slope is the power with which y grows, 1 for proportional, 2 for quadratic
    growth. None for fewer than two different x, or if a value is not positive."""
    if not x or min(*x, *y) <= 0:
        return None
    return line([math.log(value) for value in x], [math.log(value) for value in y])


def quadratic_share(x: Sequence[float], y: Sequence[float]) -> Estimate | None:
    """The share of y at the largest x that the term in x² has, in y = a + b·x + c·x². None for fewer than three
    different x; unbounded if there are no more points than parameters."""
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(set(x)) < 3:
        return None
    design = np.column_stack([np.ones_like(xs), xs, xs**2])
    found, errors, freedom = _least_squares(design, ys)
    top = float(xs.max())
    at_top = float(found @ np.array([1.0, top, top**2]))
    if at_top <= 0:
        return None
    scale = top**2 / at_top
    return _estimate(float(found[2]) * scale, float(errors[2]) * scale, freedom)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalabilityLaw:
    """Gunther's universal scalability law, X(N) = γ·N / (1 + α·(N − 1) + β·N·(N − 1)): a description, not a prediction.

    α is contention (work that does not divide), β is coherency (work for every pair of servers).
    """

    gamma: float
    alpha: float
    beta: float


def scalability_law(x: Sequence[float], throughput: Sequence[float]) -> ScalabilityLaw | None:
    """Fitted by least squares to N / X(N), which is linear in the parameters. None for fewer than three counts."""
    if len(set(x)) < 3 or min(throughput) <= 0:
        return None
    xs = np.asarray(x, np.float64)
    design = np.column_stack([np.ones_like(xs), xs - 1, xs * (xs - 1)])
    found, _, _ = _least_squares(design, xs / np.asarray(throughput, np.float64))
    if found[0] <= 0:
        return None
    return ScalabilityLaw(gamma=float(1 / found[0]), alpha=float(found[1] / found[0]), beta=float(found[2] / found[0]))


def _least_squares(design: Floats, y: Floats) -> tuple[Floats, Floats, int]:
    """(parameters, their standard errors, degrees of freedom)"""
    found = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], np.float64)
    freedom = len(y) - design.shape[1]
    left = y - design @ found
    variance = float(left @ left) / freedom if freedom > 0 else 0.0
    spread = np.linalg.pinv(design.T @ design)
    errors = np.sqrt(np.maximum(np.diag(spread) * variance, 0))
    return found, errors, freedom


def _p_above(excess: float, error: float, freedom: int) -> float:
    if freedom < 1:
        return 1.0
    if error <= 0:
        return 0.0 if excess > 0 else 1.0
    return max(0.0, 1 - student_probability(excess / error, freedom))


def _estimate(value: float, error: float, freedom: int) -> Estimate:
    def reach(probability: float) -> float:
        return math.inf if freedom < 1 else student_quantile(probability, freedom) * error

    two_sided, one_sided = reach((1 + CONFIDENCE) / 2), reach(CONFIDENCE)
    return Estimate(
        value=value,
        error=error,
        freedom=freedom,
        low=value - two_sided,
        high=value + two_sided,
        lower_bound=value - one_sided,
        upper_bound=value + one_sided,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A figure of one run, positive, with its 95 % interval within the run if there is one."""

    value: float
    low: float | None = None
    high: float | None = None


def spread_between_runs(points: Sequence[Sequence[Sample]]) -> tuple[float, int]:
    """(variance of the logarithm between runs of one point, pooled over all points; its degrees of freedom)"""
    total, freedom = 0.0, 0
    for point in points:
        if len(point) > 1:
            mean = _mean_log(point)
            total += sum((math.log(sample.value) - mean) ** 2 for sample in point)
            freedom += len(point) - 1
    return (total / freedom if freedom else 0.0), freedom


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """``lower_bound`` and ``upper_bound`` are one-sided at 95 % each. ``p_value``: how likely such a ratio, or a larger
    one, is if the true one is the limit."""

    value: float
    lower_bound: float
    upper_bound: float
    p_value: float


def ratio(
    base: Sequence[Sample], other: Sequence[Sample], spread: tuple[float, int] = (0.0, 0), *, limit: float = 1.0
) -> Ratio | None:
    """other / base, by the runs of two points, beside ``limit``; None if it has no bound.

    One run of each: the intervals within the runs, combined on the logarithmic scale by the method of variance
    estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008). Several: the run is the unit, and ``spread``,
    as of `spread_between_runs` over every point there is, gives, with Student's t, the uncertainty of the difference of
    two means.
    """
    if not base or not other:
        return None
    middle = _mean_log(other) - _mean_log(base)
    variance, freedom = spread
    if freedom:
        error = math.sqrt(variance * (1 / len(base) + 1 / len(other)))
        reach = student_quantile(CONFIDENCE, freedom) * error
        return _around(middle, reach, reach, _p_above(middle - math.log(limit), error, freedom))
    below, above = _reaches(base[0]), _reaches(other[0])
    if below is None or above is None:
        return None
    # The intervals are two-sided; the bounds asked for are one-sided.
    one_sided, two_sided = NormalDist().inv_cdf(CONFIDENCE), NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    down, up = math.hypot(above[0], below[1]) / two_sided, math.hypot(above[1], below[0]) / two_sided
    p_value = _p_above(middle - math.log(limit), down, _NORMAL)
    return _around(middle, one_sided * down, one_sided * up, p_value)


_NORMAL = 1_000_000
"""so many degrees of freedom that Student's t is the normal distribution"""


def _around(middle: float, down: float, up: float, p_value: float) -> Ratio:
    return Ratio(
        value=math.exp(middle),
        lower_bound=math.exp(middle - down),
        upper_bound=math.exp(middle + up),
        p_value=p_value,
    )


def _reaches(sample: Sample) -> tuple[float, float] | None:
    """The distance of the interval's ends from the value, on logarithms; None without an interval."""
    if sample.low is None or sample.high is None or sample.low <= 0:
        return None
    return math.log(max(sample.value / sample.low, 1.0)), math.log(max(sample.high / sample.value, 1.0))


def _mean_log(point: Sequence[Sample]) -> float:
    return sum(math.log(sample.value) for sample in point) / len(point)
