"""Where a series of runs changed its level: E-divisive, confirmed by a permutation test and Welch's test on logarithms.

E-divisive (Matteson and James, "A nonparametric approach for multiple change point analysis of multivariate data",
Journal of the American Statistical Association 109, 2014) splits where the energy distance between both sides is
largest, and then splits the parts. Here it splits as long as a weak test agrees, because a bad fortnight between two
good months is not visible at the first split. The remaining cuts are tested again as in Hunter (Fleming et al.,
"Hunter: using change point detection to hunt for performance regressions", ICPE 2023): the weakest change between two
neighbouring parts is dropped until each of them is confirmed by Welch's test and by random orders of the values of its
two parts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.student import student_probability

Floats = NDArray[np.float64]

SEGMENT_AT_LEAST = 4
"""With fewer runs after a change, a new level and a few bad nights look the same."""
P_SPLIT = 0.05
"""of Welch's test while splitting: weak, because it does not decide"""
PERMUTATIONS = 499
P_PERMUTATION = 0.01
P_WELCH = 0.001
"""Small, because every measure is tested every night."""
CHANGE_AT_LEAST = 0.02
"""A smaller change of level is ignored, however certain it is."""
VALUES_MAX = 200
"""the newest; the cost grows with their square"""
_SEED = 20_140_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The level changes at the value with index ``at``; ``before`` and ``after`` are geometric means."""

    at: int
    before: float
    after: float
    p_value: float

    @property
    def percent(self) -> float:
        return 100 * (self.after / self.before - 1)


def change_points(values: Sequence[float]) -> tuple[Change, ...]:
    """The changes of level in ``values``, all of them positive, in order. The same values give the same changes."""
    skipped = max(0, len(values) - VALUES_MAX)
    logs = np.log(np.asarray(values[skipped:], np.float64))
    cuts = _confirmed(logs, sorted(_split(logs, 0, len(logs))))
    return tuple(
        Change(
            at=cut + skipped,
            before=math.exp(float(left.mean())),
            after=math.exp(float(right.mean())),
            p_value=welch_p(left, right),
        )
        for cut, left, right in _parts(logs, cuts)
    )


def _parts(logs: Floats, cuts: Sequence[int]) -> list[tuple[int, Floats, Floats]]:
    """Each cut with the values since the cut before it and until the cut after it."""
    edges = [0, *cuts, len(logs)]
    return [(cut, logs[edges[index] : cut], logs[cut : edges[index + 2]]) for index, cut in enumerate(cuts)]


def _split(logs: Floats, begin: int, end: int) -> list[int]:
    """Cuts between ``begin`` and ``end`` that may be changes, in no order."""
    part = logs[begin:end]
    if len(part) < 2 * SEGMENT_AT_LEAST:
        return []
    at, strength = best_split(np.abs(part[:, None] - part[None, :]))
    if strength <= 0 or welch_p(part[:at], part[at:]) > P_SPLIT:
        return []
    cut = begin + at
    return [cut, *_split(logs, begin, cut), *_split(logs, cut, end)]


def best_split(distances: Floats) -> tuple[int, float]:
    """Where the energy distance of both sides, weighted by their sizes, is largest, and how large it is.

    ``distances`` has shape (n, n), n ≥ 2 · SEGMENT_AT_LEAST.
    """
    n = len(distances)
    sums = np.zeros((n + 1, n + 1))
    sums[1:, 1:] = distances.cumsum(axis=0).cumsum(axis=1)
    left = np.arange(SEGMENT_AT_LEAST, n - SEGMENT_AT_LEAST + 1)
    right = n - left
    within_left = sums[left, left]
    within_right = sums[n, n] - sums[left, n] - sums[n, left] + sums[left, left]
    between = sums[left, n] - sums[left, left]
    energy = 2 * between / (left * right) - within_left / left**2 - within_right / right**2
    weighted = energy * left * right / n
    best = int(np.argmax(weighted))
    return int(left[best]), float(weighted[best])


def _rare(part: Floats, randomness: np.random.Generator) -> bool:
    """Whether at most a share P_PERMUTATION of random orders of ``part`` has as strong a split; stops when that is
    decided."""
    distances = np.abs(part[:, None] - part[None, :])
    strength = best_split(distances)[1]
    allowed = math.floor(P_PERMUTATION * (PERMUTATIONS + 1)) - 1
    as_strong = 0
    for _ in range(PERMUTATIONS):
        order = randomness.permutation(len(part))
        as_strong += best_split(distances[np.ix_(order, order)])[1] >= strength
        if as_strong > allowed:
            return False
    return True


def _confirmed(logs: Floats, cuts: list[int]) -> list[int]:
    """Drop the weakest cut until every one is confirmed by the parts on both its sides."""
    while cuts:
        parts = _parts(logs, cuts)
        weak = [
            (p_value, cut)
            for cut, left, right in parts
            if (p_value := welch_p(left, right)) > P_WELCH
            or abs(math.expm1(float(right.mean() - left.mean()))) < CHANGE_AT_LEAST
        ]
        # Random orders cost most, so they come last, and the least certain cut first.
        if not weak:
            randomness = np.random.default_rng(_SEED)
            for p_value, cut, left, right in sorted(((welch_p(b, c), a, b, c) for a, b, c in parts), key=_certainty):
                if not _rare(np.concatenate([left, right]), randomness):
                    weak = [(p_value, cut)]
                    break
        if not weak:
            break
        cuts.remove(max(weak)[1])
    return cuts


def _certainty(cut: tuple[float, int, Floats, Floats]) -> tuple[float, int]:
    return -cut[0], cut[1]


def welch_p(left: Floats, right: Floats) -> float:
    """The two-sided p-value of Welch's test for equal means; 1 where fewer than two values are on a side."""
    if min(len(left), len(right)) < 2:
        return 1.0
    a, b = float(left.var(ddof=1)) / len(left), float(right.var(ddof=1)) / len(right)
    difference = abs(float(left.mean() - right.mean()))
    if a + b <= 0:
        return 0.0 if difference > 0 else 1.0
    freedom = (a + b) ** 2 / (a**2 / (len(left) - 1) + b**2 / (len(right) - 1))
    return max(0.0, 2 * (1 - student_probability(difference / math.sqrt(a + b), max(1, int(freedom)))))
