"""What the checks of faults share: where they apply, and what is compared with the time without the fault."""

from collections.abc import Callable

from harness.checks.check import Answer, Case
from harness.checks.run.recovery import Span, span
from harness.checks.statistics.distribution import Distribution
from harness.checks.statistics.interval import messages_for_upper_bound
from harness.model.fault import FaultKind, Target
from harness.model.figure import Scalar
from harness.model.finding import Status

ENDING = (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART)
"""The faults that cut the connections of what they hit."""

# Conventions (docs/results.md says why each).
SLOWER_AT_MOST = 1.2
RESOLUTION_MS = 5.0
"""The few hundred posts of an outage do not tell a smaller difference from the noise of a shared machine."""
MESSAGES_AT_LEAST = messages_for_upper_bound(0.99)
"""An upper 95 % bound on a P99 needs so many independent samples: 0.99^299 < 0.05. Deliveries of one message are not."""


def during_outage(function: Callable[[Case, Span], Answer]) -> Callable[[Case], Answer]:
    """A check that is asked only where a fault was begun, with the span of the outage."""

    def answer(case: Case) -> Answer:
        outage = span(case.evidence)
        assert outage is not None, "the check applies only where a fault was begun"
        return function(case, outage)

    return answer


def where_hit(*targets: Target, restart: bool = True) -> Callable[[Case], bool]:
    """Where a fault was begun, and one of the plan hits one of ``targets``. Without ``restart``: not where all faults are
    restarts, which are over before there are enough posts for a P99."""

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
    """P99 of ``during`` is at most SLOWER_AT_MOST times that of ``calm``, or RESOLUTION_MS more where that is the larger.
    ``when`` says where ``calm`` lies: before the outage, or around it. ``messages``: how many messages the two consist of.

    Less evidence never decides more. With fewer than MESSAGES_AT_LEAST messages on either side nothing is decided. One
    hiccup of the machine decides the P99 of a few seconds, so FAIL also needs the lower end of the P99's 95 % interval
    beyond the limit; an outage that is too short for an interval cannot fail.
    """
    expected: dict[str, Scalar] = {f"times_p99_{when}_at_most": SLOWER_AT_MOST, "or_more_by_ms": RESOLUTION_MS}
    if not len(calm) or not len(during) or min(messages) < MESSAGES_AT_LEAST:
        summary = (
            f"not known: {what} of {messages[0]:,} messages {when} the outage and of {messages[1]:,} during it; a P99 "
            "needs "
            f"{MESSAGES_AT_LEAST} each"
        )
        pairs = len(calm) + len(during)
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected, samples=sum(messages), pairs=pairs)
    old, new = calm.quantiles_ms((0.99,))[0], during.quantiles_ms((0.99,))[0]
    ratio, limit = new / max(old, 0.001), max(SLOWER_AT_MOST * old, old + RESOLUTION_MS)
    summary = f"P99 of {what} is {new:.1f} ms during the outage, {old:.1f} ms {when} it ({ratio:.2f} times)"
    interval = during.interval_ms(0.99)
    status = Status.PASS
    if new > limit and interval is None:
        status = Status.UNKNOWN
        summary += (
            f"; not decided: {during.groups} seconds of outage are too few for an interval, and the machine may have "
            "caused "
            "a few slow ones: repeat it with a longer outage"
        )
    elif new > limit:
        status = Status.FAIL if interval and interval.low_ms > limit else Status.UNKNOWN
        summary += "" if status is Status.FAIL else "; not decided: the machine may have caused a few slow seconds"
    return Answer(
        status=status,
        summary=summary,
        measured={f"{when}_p99_ms": old, "during_p99_ms": new, "times": round(ratio, 3)},
        expected=expected,
        samples=sum(messages),
        pairs=len(calm) + len(during),
        confidence="" if interval is None else f"P99 during the outage {interval.low_ms:.1f} ms or more at 97.5 %",
    )
