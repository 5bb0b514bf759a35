"""Does a cost grow linearly with the servers, or faster? The cost of one message is examined. Every server reads every
message of its channels, so a message costs a + b·N by design: linear, and the same law whether the rate stays (constant
curve) or grows with the servers (weak curve). The cost per second is not suitable: on the weak curve it always grows
with N², because N times as many messages are read N times.
"""

import math
from collections.abc import Sequence

from harness.checks.check import Answer
from harness.checks.statistics.comparisons import ERROR_RATE
from harness.checks.statistics.regression import Estimate, Line, exponent, line, quadratic_share
from harness.model.figure import Scalar
from harness.model.finding import Status, worst
from harness.model.measurements.sweep_measurements import Fit, FitEstimate, FitLine, SweepRun
from harness.model.sweep_plan import Curve

COUNTS_AT_LEAST = 3
"""Two points fit every curve."""
EXPONENT_LIMIT = 1.25
"""Linear growth has an exponent of 1, or less if there is also a constant part; quadratic growth tends to 2."""
QUADRATIC_SHARE_LIMIT = 0.2
"""The largest allowed share of the term in N² in the cost at the most servers. Beside a large constant part it can make
up half of it while the exponent is still below 1."""
COMPARISONS = 2 * len(Curve)
"""Exponent and share on each curve: any of them beyond its limit is a FAIL, so each is tested at 0.05 over their number
(Bonferroni; the first step of Holm's procedure)."""
P_VALUE = ERROR_RATE / COMPARISONS

FIGURES = {
    "cpu-growth": ("system CPU per message", "cpu_us_per_message"),
    "broker-cpu-growth": ("broker CPU per message", "broker_cpu_us_per_message"),
    "broker-bandwidth-growth": ("bytes out of the broker per message", "broker_net_out_bytes_per_message"),
}
"""by check: what it is called, and the field of `SweepRun`"""


def points(rows: Sequence[SweepRun], curve: Curve, figure: str) -> tuple[list[float], list[float]]:
    """(servers, values) of the runs of one curve that have the figure, positive."""
    pairs = [
        (float(row.servers), float(found))
        for row in rows
        if row.curve is curve and (found := getattr(row, figure)) is not None and found > 0
    ]
    return [servers for servers, _ in pairs], [found for _, found in pairs]


def fit(rows: Sequence[SweepRun], curve: Curve, figure: str) -> Fit | None:
    """Straight line, exponent and quadratic share of one figure on one curve; None below COUNTS_AT_LEAST counts."""
    x, y = points(rows, curve, figure)
    if len(set(x)) < COUNTS_AT_LEAST:
        return None
    straight, power, share = line(x, y), exponent(x, y), quadratic_share(x, y)
    assert straight is not None
    assert power is not None
    return Fit(
        curve=curve,
        figure=figure,
        runs=len(x),
        line=FitLine(intercept=round(straight.intercept, 4), slope=_plain(straight.slope), r2=_digits(straight.r2)),
        exponent=_plain(power.slope),
        quadratic_share=None if share is None else _plain(share),
        detectable_share=None if share is None else _digits(share.detectable(QUADRATIC_SHARE_LIMIT, p_value=P_VALUE)),
        status=_judged(power, share),
    )


def judged(check: str, fits: Sequence[Fit], rows: Sequence[SweepRun]) -> Answer:
    """PASS where on every curve the exponent is shown to be at most EXPONENT_LIMIT and the share of the term in N² at
    most QUADRATIC_SHARE_LIMIT; FAIL if one of them is shown to be beyond its limit on one curve; else UNKNOWN.

    ``rows`` are those of all planned runs. No PASS if one of them lacks the figure, or a curve has no fit.
    """
    what, figure = FIGURES[check]
    mine = [fit for fit in fits if fit.figure == figure]
    status = worst(fit.status for fit in mine)
    dropped = [row.run for row in rows if not (getattr(row, figure) or 0) > 0]
    curves = sorted({row.curve for row in rows} - {fit.curve for fit in mine})
    if status is Status.PASS and (dropped or curves):
        status = Status.UNKNOWN
    words = {
        Status.PASS: "grows linearly with the servers at most",
        Status.FAIL: "grows faster than linearly with the servers",
        Status.UNKNOWN: "may grow faster than linearly: too few runs to decide; use `--repeat`",
    }
    summary = f"{what} {words[status]}: " + "; ".join(_in_words(fit) for fit in mine)
    if not mine:
        summary = (
            f"{what}: measured at fewer than {COUNTS_AT_LEAST} server counts, "
            "too few to separate linear from faster growth"
        )
    if mine and curves:
        summary += f"; the {' and the '.join(curves)} curve was measured at fewer than {COUNTS_AT_LEAST} server counts"
    if dropped:
        named = ", ".join(dropped[:4]) + (f" and {len(dropped) - 4} more" if len(dropped) > 4 else "")
        summary += f"; {len(dropped)} of {len(rows)} runs give no such figure: {named}"
    return Answer(
        status=status,
        summary=summary,
        measured={str(fit.curve): _measured(fit) for fit in mine} or None,
        expected={"exponent_at_most": EXPONENT_LIMIT, "quadratic_share_at_most": QUADRATIC_SHARE_LIMIT},
        samples=sum(fit.runs for fit in mine),
        confidence=f"95 %, Student's t over runs; for FAIL over {COMPARISONS} comparisons together" if mine else "",
        examples=tuple(f"{run}: not measured" for run in dropped[:20]),
    )


def _judged(power: Line, share: Estimate | None) -> Status:
    """If no term in N² is found, that is not evidence that there is none: PASS needs its upper bound."""
    p_values = [power.slope.p_above(EXPONENT_LIMIT)]
    if share is not None:
        p_values.append(share.p_above(QUADRATIC_SHARE_LIMIT))
    if min(p_values) <= P_VALUE:
        return Status.FAIL
    bounded = share is not None and share.upper_bound <= QUADRATIC_SHARE_LIMIT
    return Status.PASS if bounded and power.slope.upper_bound <= EXPONENT_LIMIT else Status.UNKNOWN


def _in_words(fit: Fit) -> str:
    power, share = fit.exponent, fit.quadratic_share
    bound = f" (at most {power.upper_bound:.2f})" if power.upper_bound is not None else ""
    quadratic = ""
    if share is not None:
        shown = share.lower_bound is not None and share.lower_bound > 0
        most = "any share" if share.upper_bound is None else f"at most {max(share.upper_bound, 0):.0%}"
        quadratic = (
            f", N² makes up {share.value:.0%} of it at the most servers ({most})"
            if shown
            else f", no term in N² is shown at the most servers ({most} of the cost)"
        )
    if fit.detectable_share is None or fit.detectable_share >= 1:
        quadratic += "; these runs are too few, or vary too much, to find any term in N²"
    else:
        quadratic += f"; these runs would find a share of {fit.detectable_share:.0%} in 4 of 5 sweeps"
    return f"{fit.curve} curve with N^{power.value:.2f}{bound}{quadratic}"


def _measured(fit: Fit) -> dict[str, Scalar]:
    return {
        "exponent": fit.exponent.value,
        "exponent_upper_bound": fit.exponent.upper_bound,
        "quadratic_share": None if fit.quadratic_share is None else fit.quadratic_share.value,
        "quadratic_share_upper_bound": None if fit.quadratic_share is None else fit.quadratic_share.upper_bound,
        "detectable_share": fit.detectable_share,
        "r2": fit.line.r2,
    }


def _plain(estimate: Estimate) -> FitEstimate:
    """As JSON, which has no infinity."""
    return FitEstimate(
        value=_digits(estimate.value),
        low=_digits(estimate.low),
        high=_digits(estimate.high),
        lower_bound=_digits(estimate.lower_bound),
        upper_bound=_digits(estimate.upper_bound),
    )


def _digits(number: float) -> float | None:
    return round(number, 6) if math.isfinite(number) else None
