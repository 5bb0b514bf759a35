"""Shared by the checks of faults: when they apply, and the comparison with the time without the fault."""

from collections.abc import Callable

from harness.checks.check import Answer, Case
from harness.checks.run.recovery import Span, span
from harness.checks.statistics.distribution import Distribution
from harness.checks.statistics.interval import P99_MESSAGES_AT_LEAST, PercentileInterval, quantiles_around
from harness.model.fault import FaultKind, Target
from harness.model.figure import Scalar
from harness.model.finding import Status

ENDING = (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART)
"""The faults that cut the connections of what they hit."""

# Conventions (docs/results.md says why each).
SLOWER_AT_MOST = 1.2
RESOLUTION_MS = 5.0
"""With the few hundred posts of an outage a smaller difference cannot be distinguished from the noise of a shared
machine."""


def during_outage(function: Callable[[Case, Span], Answer]) -> Callable[[Case], Answer]:
    """A check that applies only if a fault was begun, with the span of the outage."""

    def answer(case: Case) -> Answer:
        outage = span(case.evidence)
        assert outage is not None, "the check applies only if a fault was begun"
        return function(case, outage)

    return answer


def where_hit(*targets: Target, restart: bool = True) -> Callable[[Case], bool]:
    """Where a fault was begun, and one of the plan hits one of ``targets``. Without ``restart``: not where all faults
    are restarts, which are over before there are enough posts for a P99."""

    def applies(case: Case) -> bool:
        faults = case.evidence.plan.faults
        lasting = restart or any(fault.kind is not FaultKind.RESTART for fault in faults)
        return bool(case.evidence.outages) and lasting and any(fault.target in targets for fault in faults)

    return applies


def not_slower(
    what: str,
    calm: Distribution,
    during: Distribution,
    *,
    messages: tuple[int, int],
    when: str = "before",
) -> Answer:
    """P99 of ``during`` is at most SLOWER_AT_MOST times that of ``calm``, or RESOLUTION_MS more where that is the
    larger. ``when`` says where ``calm`` lies: before the outage, or around it. ``messages``: how many messages the two
    consist of.

    Decided by the ends of intervals, never by the values alone. PASS: the upper end during the outage is within the
    limit that the lower end of ``calm`` sets. FAIL: the lower end during the outage is beyond the limit that the upper
    end of ``calm`` sets. Else UNKNOWN. Less evidence never decides more: with fewer than P99_MESSAGES_AT_LEAST messages
    on either side nothing is decided; where no interval has an upper end, the largest value takes its place, which is
    never below such an end; an outage without an interval cannot fail, since one hiccup of the machine decides the P99
    of a few seconds.
    """
    expected: dict[str, Scalar] = {f"times_p99_{when}_at_most": SLOWER_AT_MOST, "or_more_by_ms": RESOLUTION_MS}
    if not len(calm) or not len(during) or min(messages) < P99_MESSAGES_AT_LEAST:
        summary = (
            f"not known: {what} of {messages[0]:,} messages {when} the outage and of {messages[1]:,} during it; a P99 "
            f"needs {P99_MESSAGES_AT_LEAST} each"
        )
        pairs = len(calm) + len(during)
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected, samples=sum(messages), pairs=pairs)
    old, new = calm.quantiles_ms((0.99,))[0], during.quantiles_ms((0.99,))[0]
    calm_low, calm_high = _ends_ms(calm, messages[0])
    interval = during.interval_ms(0.99)
    upper = during.quantiles_ms((1.0,))[0] if interval is None or interval.high_ms is None else interval.high_ms
    ratio = new / max(old, 0.001)
    summary = f"P99 of {what} is {new:.1f} ms during the outage, {old:.1f} ms {when} it ({ratio:.2f} times)"
    status = Status.UNKNOWN
    if upper <= _limit_ms(calm_low):
        status = Status.PASS
    elif interval is not None and interval.low_ms > _limit_ms(calm_high):
        status = Status.FAIL
    elif interval is None:
        summary += (
            f"; not decided: {during.groups} seconds of outage are too few for an interval, and the machine may have "
            f"caused the largest value, {upper:.1f} ms, beyond {_limit_ms(calm_low):.1f} ms: repeat it with a longer "
            "outage"
        )
    else:
        summary += "; not decided: the machine may have caused a few slow seconds"
    return Answer(
        status=status,
        summary=summary,
        measured={f"{when}_p99_ms": old, "during_p99_ms": new, "times": round(ratio, 3)},
        expected=expected,
        samples=sum(messages),
        pairs=len(calm) + len(during),
        confidence=_confidence(interval, upper, messages[1]),
    )


def _limit_ms(calm_p99_ms: float) -> float:
    return max(SLOWER_AT_MOST * calm_p99_ms, calm_p99_ms + RESOLUTION_MS)


def _ends_ms(values: Distribution, messages: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the P99 of that many independent messages (order statistics, binomial). The
    largest value if there is no upper end."""
    around = quantiles_around(0.99, messages)
    low, high = around or (0.0, None)
    low_ms, high_ms = values.quantiles_ms((low, 1.0 if high is None else high))
    return low_ms, high_ms


def _confidence(interval: PercentileInterval | None, upper_ms: float, messages: int) -> str:
    """The bounds of the P99 during the outage, in words."""
    if interval is not None and interval.high_ms is not None:
        return f"P99 during the outage {interval.low_ms:.1f} to {interval.high_ms:.1f} ms at 95 %"
    most = f"at most {upper_ms:.1f} ms, the largest of {messages:,} messages: 95 % where they are independent"
    return (
        f"P99 during the outage {most}"
        if interval is None
        else f"P99 {interval.low_ms:.1f} ms or more at 97.5 %; {most}"
    )
