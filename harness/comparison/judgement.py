"""One measure of two groups of runs → its change, compared with the margin. All computations use logarithms: a change
is a factor. A change is *worse* if even the better end of its interval is beyond the margin, and *same* if the whole
interval is within it. All limits of the harness are decided by this rule.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.checks.statistics.comparisons import holm
from harness.checks.statistics.student import student_probability, student_quantile
from harness.comparison.rank_test import hodges_lehmann, p_above
from harness.comparison.spread import Spread, pooled, within
from harness.model.comparison import Change, MeasureComparison, Method
from harness.model.history import Measured
from harness.model.measure import Measure

CONFIDENCE = 0.95
RANKS_FROM = 6
"""Runs on each side from which ranks decide: 4 against 4 can hardly be significant, 6 against 6 can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A measure before the correction for the number of measures. ``p_worse`` and ``p_better``: how likely such a
    change is if the true one is exactly the margin."""

    comparison: MeasureComparison
    p_worse: float = 1.0
    p_better: float = 1.0
    same: bool = False


def compare_measure(
    measure: Measure,
    base: Sequence[Measured],
    run: Sequence[Measured],
    *,
    point: str,
    margin_percent: float,
    spread: Spread,
    interleaved: bool,
) -> Judged:
    """``base`` and ``run`` are the runs' values, at least one each. ``interleaved``: the runs alternated within an
    hour, so that their own spread counts; otherwise the spread is at least that of the history."""
    sides = [[math.log(measured.value) for measured in side] for side in (base, run)]
    if min(len(base), len(run)) >= RANKS_FROM:
        return _by_ranks(measure, sides, point=point, margin_percent=margin_percent)
    own = pooled(sides)
    taken = spread
    if own is not None and (interleaved or own.sigma > spread.sigma):
        taken = own
    errors = [
        sum(max(taken.sigma, within(measured)) ** 2 for measured in side) / len(side) ** 2 for side in (base, run)
    ]
    error = math.sqrt(sum(errors))
    shift = _mean(sides[1]) - _mean(sides[0])
    reach = student_quantile((1 + CONFIDENCE) / 2, taken.freedom) * error
    method = Method.SINGLE if len(base) == len(run) == 1 else Method.GROUPS
    comparison = _comparison(measure, sides, shift, shift - reach, shift + reach, point, margin_percent, method)
    comparison = replace(comparison, spread_percent=taken.percent, spread_runs=taken.runs)

    def beyond(value: float, limit: float) -> float:
        if error <= 0:
            return 0.0 if value > limit else 1.0
        return 1 - student_probability((value - limit) / error, taken.freedom)

    worse = shift if measure.lower_is_better else -shift
    margin = math.log1p(margin_percent / 100)
    return Judged(
        comparison=comparison,
        p_worse=beyond(worse, margin),
        p_better=beyond(-worse, margin),
        same=abs(shift) + reach <= margin,
    )


def _by_ranks(measure: Measure, sides: list[list[float]], *, point: str, margin_percent: float) -> Judged:
    base, run = sides
    found = hodges_lehmann(base, run, CONFIDENCE)
    margin = math.log1p(margin_percent / 100)
    above = p_above(base, run, margin)
    below = p_above(run, base, margin)
    worse, better = (above, below) if measure.lower_is_better else (below, above)
    method = Method.HODGES_LEHMANN
    return Judged(
        comparison=_comparison(measure, sides, found.value, found.low, found.high, point, margin_percent, method),
        p_worse=worse,
        p_better=better,
        same=-margin <= found.low and found.high <= margin,
    )


def _comparison(
    measure: Measure,
    sides: list[list[float]],
    shift: float,
    low: float,
    high: float,
    point: str,
    margin_percent: float,
    method: Method,
) -> MeasureComparison:
    return MeasureComparison(
        point=point,
        measure=measure.name,
        base=math.exp(_mean(sides[0])),
        run=math.exp(_mean(sides[1])),
        base_runs=len(sides[0]),
        runs=len(sides[1]),
        margin_percent=margin_percent,
        change=Change.UNDECIDED,
        percent=_percent(shift),
        low_percent=_percent(low),
        high_percent=_percent(high),
        method=method,
    )


def decide(judged: Sequence[Judged]) -> tuple[MeasureComparison, ...]:
    """The word for each change. The more measures are compared, the stronger each change must be to count (Holm)."""
    # One-sided each: the error rate of the two-sided interval is shared by its ends.
    tail = (1 - CONFIDENCE) / 2
    worse = holm([each.p_worse for each in judged], tail)
    better = holm([each.p_better for each in judged], tail)
    found = []
    for each, is_worse, is_better in zip(judged, worse, better, strict=True):
        change, because = Change.UNDECIDED, ""
        if is_worse or is_better:
            change = Change.WORSE if is_worse else Change.BETTER
        elif each.same:
            change = Change.SAME
        elif each.comparison.percent is not None:
            because = _why(each, tail, len(judged))
        found.append(replace(each.comparison, change=change, because=because or each.comparison.because))
    return tuple(found)


def _why(each: Judged, tail: float, count: int) -> str:
    comparison = each.comparison
    if min(each.p_worse, each.p_better) <= tail:
        return f"beyond the margin by itself, but not certain enough among {count} measures"
    assumed = comparison.method is not Method.HODGES_LEHMANN and not comparison.spread_runs
    words = "the interval reaches over the margin"
    return f"{words}; the spread between runs is assumed, as the history has too few" if assumed else words


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _percent(log_ratio: float) -> float | None:
    """None if it is not bounded."""
    return 100 * math.expm1(log_ratio) if math.isfinite(log_ratio) else None
