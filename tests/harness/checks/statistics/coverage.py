"""How often the interval of a P99 covers the true P99, over made-up runs whose P99 is known.

python -m tests.harness.checks.statistics.coverage          # the table of docs/decisions/0011
"""

import itertools
import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.distribution import Distribution
from harness.model.measurements.percentiles import Percentiles

RATE_HZ = 100
CLIENTS = 3
WITHIN = 0.3
"""standard deviation of the logarithm of the latency within a second"""


class Made(NamedTuple):
    """``level``: standard deviation of the logarithm of the level of a second. ``correlation``: that of the levels of
    neighbouring seconds."""

    seconds: int
    correlation: float
    level: float

    @property
    def true_p99_ms(self) -> float:
        return 10 * math.exp(NormalDist().inv_cdf(0.99) * math.hypot(self.level, WITHIN))

    def latencies(self, rng: np.random.Generator) -> Distribution:
        """One run: an AR(1) level for each second, messages around this level, and each message at three clients."""
        level = _autoregressive(rng, self.seconds, self.correlation) * self.level
        messages = np.repeat(level, RATE_HZ) + WITHIN * rng.normal(size=self.seconds * RATE_HZ)
        values_ns = np.repeat(1e7 * np.exp(messages), CLIENTS).astype(np.int64)
        groups = np.repeat(np.arange(self.seconds), RATE_HZ * CLIENTS)

        return Distribution.count(lambda: [(values_ns, groups)], self.seconds, len(messages))


class Coverage(NamedTuple):
    """Shares. ``covered``: of the intervals, those that contain the true P99. ``found``: of the runs, those with an
    interval. ``open``: of the intervals, those without an upper end."""

    covered: float
    found: float
    open: float


def coverage(made: Made, repetitions: int, seed: int = 1) -> Coverage:
    rng = np.random.default_rng(seed)
    covered = found = without_end = 0
    for _ in range(repetitions):
        interval = made.latencies(rng).interval_ms(0.99)
        if interval is None:
            continue
        found += 1
        without_end += interval.high_ms is None
        covered += interval.low_ms <= made.true_p99_ms <= (interval.high_ms or math.inf)
    return Coverage(covered / max(found, 1), found / repetitions, without_end / max(found, 1))


def _autoregressive(rng: np.random.Generator, count: int, correlation: float) -> NDArray[np.float64]:
    steps = rng.normal(size=count)
    found = np.empty(count)
    found[0] = steps[0]
    for index in range(1, count):
        found[index] = correlation * found[index - 1] + math.sqrt(1 - correlation**2) * steps[index]
    return found


def figures(values: Percentiles) -> tuple[float | None, float | None]:
    return values.p99_low_ms, values.p99_high_ms


if __name__ == "__main__":
    print("| seconds | correlation | level | covered | no upper end |\n|---|---|---|---|---|")
    for seconds, correlation, level in itertools.product((8, 20, 60, 300), (0.0, 0.7), (0.0, 0.1, 0.3, 0.6)):
        if correlation and not level:
            continue
        result = coverage(Made(seconds, correlation, level), 1_000 if seconds < 300 else 400)
        print(f"| {seconds} | {correlation} | {level} | {result.covered:.1%} | {result.open:.0%} |", flush=True)
