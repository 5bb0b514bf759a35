"""What a scenario requires of a measured figure."""

from dataclasses import dataclass
from typing import Literal

Measure = Literal["latency_ms", "live_latency_ms", "completion_ms"]
Statistic = Literal["p50", "p95", "p99", "p999", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """``statistic`` of ``measure`` over the measured window stays below ``limit_ms``."""

    measure: Measure
    statistic: Statistic
    limit_ms: float
