"""How much a measure differs from run to run of one plan on one machine."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.model.history import HistoryEntry, Measured
from harness.model.measure import ASSUMED_SPREAD_PERCENT, Measure

RUNS_AT_LEAST = 5
"""With fewer runs the spread is assumed."""
RUNS_AT_MOST = 30
"""the newest: the noise of a machine changes within a year"""
ROBUST_FROM = 10
"""From this number of runs on the median absolute deviation is used, which one bad night does not move; with fewer runs
it is too inexact."""
_MAD_SCALE = 1.4826
_MAD_EFFICIENCY = 0.37
_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard deviation of the logarithm between runs; ``freedom``: degrees of freedom of that estimate; ``runs``: the
    number of runs, 0 if the spread is assumed."""

    sigma: float
    freedom: int
    runs: int

    @property
    def percent(self) -> float:
        return 100 * math.expm1(self.sigma)


def spread_of(measure: Measure, history: Iterable[HistoryEntry]) -> Spread:
    """From the values of earlier runs of the same plan on the same machine, oldest first."""
    values = [entry.measures[measure.name].value for entry in history if measure.name in entry.measures]
    logs = np.log(np.asarray(values[-RUNS_AT_MOST:], np.float64))
    runs = len(logs)
    if runs < RUNS_AT_LEAST:
        return Spread(sigma=math.log1p(ASSUMED_SPREAD_PERCENT[measure.group] / 100), freedom=1_000, runs=0)
    deviation = float(logs.std(ddof=1))
    if runs < ROBUST_FROM:
        return Spread(sigma=deviation, freedom=runs - 1, runs=runs)
    robust = _MAD_SCALE * float(np.median(np.abs(logs - np.median(logs))))
    # Values that repeat exactly (capacities are steps) have a median deviation of 0 although they differ.
    return Spread(
        sigma=robust if robust > 0 else deviation, freedom=max(1, round(_MAD_EFFICIENCY * (runs - 1))), runs=runs
    )


def within(measured: Measured) -> float:
    """Standard deviation of the logarithm by the run's own interval; 0 if it has none."""
    if measured.low is None or measured.high is None or measured.low <= 0:
        return 0.0
    return (math.log(measured.high) - math.log(measured.low)) / (2 * _NORMAL_95)


def pooled(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The spread within groups of logarithms; None if they have fewer than four degrees of freedom."""
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < 4:
        return None
    squares = sum(float(((np.asarray(group) - np.mean(group)) ** 2).sum()) for group in groups)
    return Spread(sigma=math.sqrt(squares / freedom), freedom=freedom, runs=sum(map(len, groups)))
