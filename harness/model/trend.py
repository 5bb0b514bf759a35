"""A trend: the measures of the runs of one plan over time, and where their level changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.history import HistoryEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The level changes at the run with index ``first`` (of the series' entries).

    ``before`` and ``after`` are geometric means, of the runs since the change before and until the change after it.
    ``percent`` is the change, positive where the value grew. ``p_value`` is Welch's, on logarithms. ``worse``: in the
    direction that is bad for this measure. ``total_percent`` is the change from the last level that counts, small steps
    before this one included; it is compared with ``margin_percent``. ``accepted``: the reason that a person gave; empty
    if the change was not accepted.
    """

    measure: str
    first: int
    run: str
    revision: str
    began: str
    before: float
    after: float
    percent: float
    p_value: float
    worse: bool
    total_percent: float
    margin_percent: float
    accepted: str = ""

    @property
    def within_margin(self) -> bool:
        return abs(self.total_percent) <= self.margin_percent

    @property
    def alarms(self) -> bool:
        return self.worse and not self.within_margin and not self.accepted

    @property
    def confidence_percent(self) -> float:
        return 100 * (1 - self.p_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure: ``values`` are as long as the series' entries; None if a run does not have it, or must not be
    used."""

    measure: str
    values: tuple[float | None, ...]
    change_points: tuple[ChangePoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendSeries:
    """All runs of one plan, in the order of time. ``machine_changes`` are the indices of runs that have another machine
    than the run before; only runs of the same machine are compared."""

    plan_key: str
    title: str
    plan: Mapping[str, str]
    entries: tuple[HistoryEntry, ...]
    lines: tuple[Line, ...]
    machine_changes: tuple[int, ...] = ()
    unused: int = 0
    """how many runs are not used because their figures are doubtful, or they did not end"""

    @property
    def change_points(self) -> tuple[ChangePoint, ...]:
        """Those that alarm first, then the other ones for the worse; the newest first among them."""
        every = [point for line in self.lines for point in line.change_points]
        return tuple(sorted(every, key=lambda point: (not point.alarms, not point.worse, -point.first)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """``series`` in the order of their newest runs. ``damaged``: lines of the history that could not be read."""

    series: tuple[TrendSeries, ...] = ()
    damaged: int = 0
