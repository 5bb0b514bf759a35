"""Student's t: its distribution function and its quantiles."""

import math
from statistics import NormalDist

import numpy as np

_NORMAL_FROM = 200
"""degrees of freedom beyond which the normal distribution is used"""


def student_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t, for ``probability`` ≥ 0.5, by bisection of its distribution function. Infinite
    without a degree of freedom."""
    if freedom < 1:
        return math.inf
    if freedom > _NORMAL_FROM:
        return NormalDist().inv_cdf(probability)
    low, high = 0.0, 1.0
    while student_probability(high, freedom) < probability:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_probability(middle, freedom) < probability else (low, middle)
    return high


def student_probability(t: float, freedom: int) -> float:
    """P(T ≤ t): with t = √ν · tan θ the density becomes cos^(ν−1) θ, which Simpson's rule integrates exactly enough on
    its finite range. 0.5 without a degree of freedom."""
    if freedom < 1:
        return 0.5
    if freedom > _NORMAL_FROM:
        return NormalDist().cdf(t)
    theta = math.atan(abs(t) / math.sqrt(freedom))
    nodes = np.linspace(0.0, theta, 201)
    values = np.cos(nodes) ** (freedom - 1)
    weights = np.ones(201)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    area = float(values @ weights) * theta / 600
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return 0.5 + math.copysign(scale * area, t)
