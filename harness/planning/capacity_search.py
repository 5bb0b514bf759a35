"""Which load a capacity search tries next, and what its trials prove. Pure: the trials so far decide both. The search
doubles the load, or halves it, until one load holds and a larger one does not. Then it bisects the gap until the gap is
a tenth. It tries the largest load that held a second time: if that load does not hold again, it counts as not holding.
An undecided trial is repeated once (`capacity_planner` says how long).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10, sqrt

from harness.model.capacity import Found, TrialResult

GAP_SHARE = 0.1
"""The search ends when the gap between the loads that hold and those that do not is at most this share."""
HELD_TWICE = 2
UNDECIDED_TWICE = 2
NOTHING_DECIDED = frozenset({TrialResult.GENERATOR, TrialResult.UNDECIDED})
TRIALS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    value: int
    result: TrialResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The first value, and the smallest and largest that may be tried."""

    start: int
    floor: int
    ceiling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``value`` is the largest load that held twice, if every smaller load held too; None without one. ``above`` is the
    smallest load above it that did not hold, ``broke_at`` the smallest that broke."""

    found: Found
    value: int | None = None
    above: int | None = None
    broke_at: int | None = None


def next_value(trials: Sequence[Trial], bounds: Bounds) -> int | None:
    """The value of the next trial; None if the search is over."""
    if len(trials) >= TRIALS_MAX:
        return None
    if not trials:
        return min(max(bounds.start, bounds.floor), bounds.ceiling)
    values = _Values(trials)
    if values.open is not None:
        return values.open
    low, high = values.low, values.high
    if high is None:
        assert low is not None, "a value that is decided either held or did not"
        if low < bounds.ceiling:
            return min(bounds.ceiling, rounded(2 * low))
    elif low is None:
        return max(bounds.floor, rounded(high / 2)) if high > bounds.floor else None
    else:
        middle = rounded(sqrt(low * high))
        if high > low * (1 + GAP_SHARE) and low < middle < high:
            return middle
    return None if values.held(low) >= HELD_TWICE else low


def proof(trials: Sequence[Trial], bounds: Bounds) -> Proof:
    """The result of the trials, also if the search ended early."""
    values = _Values(trials)
    low, high = values.low, values.high
    if low is None:
        nothing_held = high is not None and high <= bounds.floor and values.broke(high)
        return Proof(found=Found.NONE if nothing_held else Found.UNDECIDED, above=high)
    broke_at = min((each.value for each in trials if each.value > low and values.broke(each.value)), default=None)
    if values.held(low) < HELD_TWICE:
        return Proof(found=Found.UNDECIDED, above=high, broke_at=broke_at)
    # If a smaller load was undecided, a load that broke is not a boundary: the first exhausted resource was not the
    # system's.
    found = Found.CAPACITY if high is not None and high == broke_at else Found.LOWER_BOUND
    return Proof(found=found, value=low, above=high, broke_at=broke_at)


def rounded(value: float) -> int:
    """The nearest whole number with two leading digits, at least 1."""
    if value < 10:
        return max(1, round(value))
    unit = int(10 ** (floor(log10(value)) - 1))
    return round(value / unit) * unit


class _Values:
    """The tried values, by the results of their trials. A value holds while it held and never broke; it does not hold
    if it broke or was undecided twice. ``low`` is the largest that holds below ``high``, the smallest that does not.
    ``open`` is the value of the last trial if that was undecided and must be repeated.
    """

    def __init__(self, trials: Sequence[Trial]) -> None:
        self._results: dict[int, list[TrialResult]] = {}
        for trial in trials:
            self._results.setdefault(trial.value, []).append(trial.result)
        self.high = min((value for value in self._results if self._fails(value)), default=None)
        self.low = max(
            (
                value
                for value in self._results
                if self.held(value) and not self._fails(value) and (self.high is None or value < self.high)
            ),
            default=None,
        )
        last = trials[-1] if trials else None
        is_open = last is not None and last.result in NOTHING_DECIDED and not self._fails(last.value)
        self.open = last.value if last is not None and is_open else None

    def held(self, value: int) -> int:
        return self._results[value].count(TrialResult.HELD)

    def broke(self, value: int) -> bool:
        return TrialResult.BROKE in self._results[value]

    def _undecided(self, value: int) -> int:
        return sum(result in NOTHING_DECIDED for result in self._results[value])

    def _fails(self, value: int) -> bool:
        return self.broke(value) or self._undecided(value) >= UNDECIDED_TWICE
