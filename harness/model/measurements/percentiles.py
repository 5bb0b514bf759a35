"""Percentiles of one kind of duration."""

from dataclasses import dataclass

from harness.model.expectation import Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Exact percentiles in milliseconds, by nearest rank, of ``count`` samples; None if there are no samples.
    ``messages``: of how many messages the samples are; None if that is not counted. Deliveries of one message are not
    independent samples.

    ``p99_low_ms`` and ``p99_high_ms`` are the ends of the 95 % interval of the P99. Both are None for fewer than six
    seconds, and if no interval was requested. Only the upper one is None if the messages do not bound the P99 from
    above.
    """

    count: int = 0
    messages: int | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    max_ms: float | None = None
    p99_low_ms: float | None = None
    p99_high_ms: float | None = None

    def at_ms(self, statistic: Statistic) -> float | None:
        """The value of one statistic."""
        return {
            "p50": self.p50_ms,
            "p95": self.p95_ms,
            "p99": self.p99_ms,
            "p999": self.p999_ms,
            "max": self.max_ms,
        }[statistic]
