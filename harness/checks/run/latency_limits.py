"""Does a percentile of the latency stay below its limit? Decided by its interval, never by the value alone."""

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.run import latency
from harness.checks.statistics.interval import SECONDS_AT_LEAST, PercentileInterval, messages_for_upper_bound
from harness.model.expectation import Measure, Statistic
from harness.model.finding import Kind, Status
from harness.model.measurements.percentiles import Percentiles

QUANTILES: dict[Statistic, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
# Conventions (docs/results.md says why each).
FAR_BELOW: tuple[tuple[int, float, float], ...] = ((60, 20, 0.9), (20, 20 / 3, 0.75), (0, 1, 0.5))
"""Without an upper end of the interval: PASS only if every delivery took less than a share of the limit.

Each row: at least so many seconds with messages, at least so many times the messages that an upper bound needs, the
share. Of n independent messages the largest is below the true P99 with probability 0.99^n: 4.95 % for 299. Where
seconds differ it is more often, in half of the runs of three seconds whose logarithms of levels vary by 0.3 with a
correlation of 0.7. A longer run has more chances to meet a slow second, so its largest delivery says more. The shares
are such that at most 5 % of runs whose true P99 is at the limit pass. A coverage test holds that for each row.
"""
FAR_BELOW_LONG_AT_MOST = 0.99
"""The shares of longer runs are tested up to this quantile; beyond it the last row holds."""
FAR_BEYOND = 10
"""Without an interval: FAIL only if this many times as many deliveries as allowed reached the limit."""

_NAMES = {
    "latency_ms": "delivery latency",
    "live_latency_ms": "latency of the deliveries that no fault disturbed",
    "completion_ms": "completion latency",
}


def limit_check(measure: Measure, statistic: Statistic, *, planted_bug: str = "") -> Check[Case]:
    """The check of every expectation of the plan for this figure."""
    what = f"{statistic.upper()} of the {_NAMES[measure]}"
    return Check(
        name=f"{measure}.{statistic}",
        kind=Kind.PERFORMANCE,
        function=lambda case: _below_limit(case, measure, statistic),
        applies=lambda case: _limit_ms(case, measure, statistic) is not None,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.EVENTS),
        red_when=f"the whole 95 % interval of the {what} is at its limit or beyond. "
        "PASS only if the whole interval is below the limit; else UNKNOWN, see below",
        what_to_do="the steps table: which step takes the time; then the CPU of each process. For UNKNOWN a longer run",
        planted_bug=planted_bug,
    )


def _limit_ms(case: Case, measure: Measure, statistic: Statistic) -> float | None:
    """The tightest limit of the plan for this figure."""
    limits = [
        wish.limit_ms
        for wish in case.evidence.plan.expectations
        if (wish.measure, wish.statistic) == (measure, statistic)
    ]
    return min(limits, default=None)


def _below_limit(case: Case, measure: Measure, statistic: Statistic) -> Answer:
    limit_ms = _limit_ms(case, measure, statistic)
    assert limit_ms is not None, "the check applies only if the plan has a limit"
    values = latency.distribution(case.evidence, case.tally, case.account, measure)
    figures = values.percentiles()
    interval = None if statistic == "max" else values.interval_ms(QUANTILES[statistic])
    measured_ms = figures.at_ms(statistic)
    status, reason = decide(figures, interval, statistic, limit_ms, seconds=values.groups_with_values)
    name = f"{statistic.upper()} of the {_NAMES[measure]}"
    return Answer(
        status=status,
        summary=reason if measured_ms is None else f"{name} is {measured_ms:.1f} ms, {reason}",
        measured={
            f"{statistic}_ms": measured_ms,
            "low_ms": interval.low_ms if interval else None,
            "high_ms": interval.high_ms if interval else None,
        },
        expected={f"{statistic}_ms_below": limit_ms},
        samples=figures.messages or 0,
        pairs=figures.count,
        confidence=in_words(interval),
    )


def in_words(interval: PercentileInterval | None) -> str:
    """The interval as the confidence of a finding; empty if there is none."""
    if interval is None:
        return ""
    if interval.high_ms is None:
        return f"{interval.low_ms:.1f} ms or more at 97.5 %; no upper end"
    return f"{interval.low_ms:.1f} to {interval.high_ms:.1f} ms at 95 %"


def decide(
    figures: Percentiles,
    interval: PercentileInterval | None,
    statistic: Statistic,
    limit_ms: float,
    *,
    seconds: int,
) -> tuple[Status, str]:
    """Whether the true value is below the limit, and why; UNKNOWN if the interval holds the limit.

    ``seconds``: how many seconds have values. A run that is too short for an interval decides only if the latencies are
    far from the limit. The largest latency is not an estimate: its value decides.
    """
    value_ms = figures.at_ms(statistic)
    if value_ms is None:
        return Status.UNKNOWN, "no message was timed"
    if statistic == "max":
        below = value_ms < limit_ms
        return (Status.PASS, f"below {limit_ms:g} ms") if below else (Status.FAIL, f"not below {limit_ms:g} ms")
    if interval is not None and interval.high_ms is not None and interval.high_ms < limit_ms:
        return Status.PASS, f"below {limit_ms:g} ms"
    if interval is not None and interval.low_ms >= limit_ms:
        return Status.FAIL, f"not below {limit_ms:g} ms"
    if interval is not None and interval.high_ms is not None:
        return Status.UNKNOWN, f"which does not decide: its interval contains the limit of {limit_ms:g} ms"
    return _far_from_limit(figures, interval, QUANTILES[statistic], limit_ms, seconds)


def far_below(quantile: float, messages: int, seconds: int) -> float | None:
    """The share of the limit that every delivery must stay below, by FAR_BELOW; None with too few messages for any."""
    least = messages_for_upper_bound(quantile)
    for seconds_at_least, times, share in FAR_BELOW:
        known = quantile <= FAR_BELOW_LONG_AT_MOST or not seconds_at_least
        if known and seconds >= seconds_at_least and messages >= times * least:
            return share
    return None


def _far_from_limit(
    figures: Percentiles, interval: PercentileInterval | None, quantile: float, limit_ms: float, seconds: int
) -> tuple[Status, str]:
    """The decision if the interval has no upper end, or if there is no interval."""
    least, messages = messages_for_upper_bound(quantile), figures.messages or 0
    share = far_below(quantile, messages, seconds)
    if share is not None and figures.max_ms is not None and figures.max_ms < share * limit_ms:
        return (
            Status.PASS,
            f"far below {limit_ms:g} ms: no delivery of {messages:,} messages took {share * limit_ms:g} ms or more",
        )
    many = FAR_BEYOND * (1 - quantile) <= 0.5
    if interval is None and messages >= least and many and figures.p50_ms is not None and figures.p50_ms >= limit_ms:
        return Status.FAIL, f"far beyond {limit_ms:g} ms: half of all deliveries took that long"
    if messages < least:
        needs = f"fewer messages ({messages:,}) than the {least:,} that an upper bound needs at least"
    elif interval is None:
        needs = f"an interval needs at least {SECONDS_AT_LEAST} seconds with messages"
    else:
        needs = "neighbouring messages are so similar that they give it no upper bound; that needs a longer run"
    return Status.UNKNOWN, f"which does not decide about {limit_ms:g} ms: {needs}"


CHECKS: tuple[Check[Case], ...] = (
    limit_check(
        "latency_ms",
        "p99",
        planted_bug="tests/harness/checks/run/test_latency_limits.py::test_slow_deliveries_are_red_for_latency_alone",
    ),
    limit_check(
        "live_latency_ms",
        "p99",
        planted_bug="tests/harness/checks/run/test_resilience.py::test_late_deliveries_outside_the_outage_are_live",
    ),
)
"""The limits of the catalogue's scenarios. An expectation of another figure gets its check from `limit_check`."""
