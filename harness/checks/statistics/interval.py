"""How far the percentile of a run can be from the true one.

The interval lies between two order statistics: how many of n independent messages are above the true percentile is
binomial. Deliveries of one message are not independent of each other, nor are messages of neighbouring seconds. So n is
the effective sample size: the number of independent messages that tell as much (Korn and Graubard, "Confidence
intervals for proportions with small expected number of positive counts estimated from survey data", Survey Methodology
24, 1998). It follows from how much blocks of whole seconds differ in their shares of slow deliveries (batch means;
Schmeiser, "Batch size effects in the analysis of simulation output", Operations Research 30, 1982). The coverage is
tested in tests/harness/checks/statistics/test_interval.py; docs/decisions/0011-intervals-of-percentiles.md holds its
figures.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.student import student_quantile

CONFIDENCE = 0.95
SECONDS_AT_LEAST = 6
"""With fewer groups the spread between them is not known well enough for an interval."""
BLOCKS_AT_MOST = 20
"""More seconds make longer blocks, not more of them: a disturbance of some seconds must be within one block."""

MEAN_BLOCKS = 8
"""Fewer and longer than for a percentile: a disturbance of some seconds changes their means more than their
extremes."""
MEAN_SECONDS_AT_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileInterval:
    """The 95 % interval of a percentile, in ms. ``high_ms`` is None if the messages do not bound it from above."""

    low_ms: float
    high_ms: float | None


def messages_for_upper_bound(quantile: float, confidence: float = CONFIDENCE) -> int:
    """The least number of independent messages whose largest value is, with this confidence, not below ``quantile``:
    299 for a P99, as 0.99^299 < 0.05."""
    return math.ceil(math.log(1 - confidence) / math.log(quantile))


P99_MESSAGES_AT_LEAST = messages_for_upper_bound(0.99)
"""With fewer, no value of a run bounds its P99 from above: 0.99^299 < 0.05. Deliveries of one message count once."""


def design_effect(slow: NDArray[Any], every: NDArray[Any], messages: int) -> float:
    """By how much the variance of the share of slow values is larger than that of as many independent messages, at
    least 1.

    ``slow`` of ``every`` value in each block, shape (blocks,), two blocks or more. The share is a ratio of two sums
    over blocks; its variance is that of the linearized ratio (Cochran, Sampling Techniques, 3rd ed. 1977, §6.3).
    """
    total = float(every.sum())
    share = float(slow.sum()) / total
    if not 0 < share < 1:
        return 1.0
    residuals = slow - share * every
    blocks = len(every)
    variance = blocks / (blocks - 1) * float(residuals @ residuals) / total**2
    return max(1.0, variance * messages / (share * (1 - share)))


def effective_messages(messages: int, design_effect: float, blocks: int) -> float:
    """The number of independent messages with the same information. With fewer blocks it is smaller, because they
    estimate the design effect less exactly: by the square of the quotient of the two quantiles of Student's t.
    """
    unsure = student_quantile((1 + CONFIDENCE) / 2, messages - 1) / student_quantile((1 + CONFIDENCE) / 2, blocks - 1)
    return min(messages, messages / design_effect * unsure**2)


@lru_cache(maxsize=256)
def quantiles_around(quantile: float, messages: int) -> tuple[float, float | None] | None:
    """Between which two quantiles of ``messages`` independent values the true ``quantile`` lies with 95 % confidence.

    The upper one is None where even the largest value may be below it; all is None where even the smallest may be
    above. Between two whole ranks it is interpolated.
    """
    if messages < 1:
        return None
    counts, cumulated = _binomial(messages, 1 - quantile)
    tail = (1 - CONFIDENCE) / 2
    low = 1 - float(np.interp(1 - tail, cumulated, counts)) / messages
    if low <= 0:
        return None
    if cumulated[0] > tail:
        return low, None
    return low, 1 - float(np.interp(tail, cumulated, counts)) / messages


def _binomial(trials: int, probability: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Counts, and the probability of at most as many, as far from the mean as counts have any probability."""
    mean = trials * probability
    reach = 12 * math.sqrt(mean) + 30
    first, last = max(0, int(mean - reach)), min(trials, int(mean + reach))
    counts = np.arange(first, last + 1)
    steps = np.log((trials - counts[:-1]) / (counts[:-1] + 1)) + math.log(probability / (1 - probability))
    start = math.lgamma(trials + 1) - math.lgamma(first + 1) - math.lgamma(trials - first + 1)
    start += first * math.log(probability) + (trials - first) * math.log(1 - probability)
    return counts, np.cumsum(np.exp(start + np.r_[0.0, np.cumsum(steps)]))


def mean_interval(by_second: NDArray[Any]) -> tuple[float, float] | None:
    """The 95 % interval of the mean, from the means of blocks of seconds with Student's t; None for fewer than
    MEAN_SECONDS_AT_LEAST."""
    if len(by_second) < MEAN_SECONDS_AT_LEAST:
        return None
    means = np.array([block.mean() for block in np.array_split(by_second, MEAN_BLOCKS)])
    reach = student_quantile((1 + CONFIDENCE) / 2, MEAN_BLOCKS - 1) * float(means.std(ddof=1)) / math.sqrt(MEAN_BLOCKS)
    mean = float(by_second.mean())
    return mean - reach, mean + reach
