"""Compares two groups of runs by ranks: it assumes no distribution of the values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT_PAIRS_MAX = 900
"""Up to 30 runs on each side the distribution is counted; beyond that the normal distribution is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far ``run`` lies above ``base``: the estimate and its two-sided interval."""

    value: float
    low: float
    high: float


def hodges_lehmann(base: Sequence[float], run: Sequence[float], confidence: float = 0.95) -> Shift:
    """The median of all differences between a value of ``run`` and one of ``base``, with the interval that inverts the
    Mann–Whitney test (Hodges and Lehmann, "Estimates of location based on rank tests", Annals of Mathematical
    Statistics 34, 1963). The interval is infinite if the groups are too small for the confidence."""
    differences = np.sort(np.subtract.outer(np.asarray(run), np.asarray(base)).ravel())
    reach = _critical(len(base), len(run), (1 - confidence) / 2)
    low, high = -math.inf, math.inf
    if reach > 0:
        low, high = float(differences[reach - 1]), float(differences[-reach])
    return Shift(value=float(np.median(differences)), low=low, high=high)


def p_above(base: Sequence[float], run: Sequence[float], shift: float) -> float:
    """How likely such ranks, or more extreme ones, are if ``run`` is ``shift`` above ``base``: small if ``run`` is
    higher than that (Mann and Whitney, Annals of Mathematical Statistics 18, 1947). Ties count half."""
    moved = np.subtract.outer(np.asarray(run) - shift, np.asarray(base))
    wins = float((moved > 0).sum()) + 0.5 * float((moved == 0).sum())
    n, m = len(base), len(run)
    if n * m > EXACT_PAIRS_MAX:
        return 1 - NormalDist().cdf((wins - 0.5 - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12))
    # A half from a tie is rounded against a decision.
    return float(_cumulated(n, m)[n * m - math.floor(wins)])


def _critical(n: int, m: int, tail: float) -> int:
    """The largest k with P(U ≤ k − 1) ≤ ``tail``; 0 if there is none."""
    if n * m > EXACT_PAIRS_MAX:
        z = NormalDist().inv_cdf(1 - tail)
        return max(0, math.floor(n * m / 2 - z * math.sqrt(n * m * (n + m + 1) / 12)))
    return int(np.searchsorted(_cumulated(n, m), tail, side="right"))


@lru_cache(maxsize=64)
def _cumulated(n: int, m: int) -> Floats:
    """P(U ≤ u) for u = 0 … n · m if both groups have one distribution: by counting partitions."""
    counts = np.zeros(n * m + 1)
    counts[0] = 1.0
    # The generating function is the Gaussian binomial coefficient: prod (1 − q^(m + i)) / (1 − q^i), i = 1 … n.
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    return np.cumsum(counts) / math.comb(n + m, n)
