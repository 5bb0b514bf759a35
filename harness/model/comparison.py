"""A comparison of two groups of runs: what may be compared, what became of safety, and each measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.history import HistoryEntry
from harness.model.status import Status


class Change(StrEnum):
    """What the interval of a change says against the margin."""

    WORSE = "worse"
    """even the better end is beyond the margin"""
    BETTER = "better"
    """even the worse end is beyond the margin, on the good side"""
    SAME = "same"
    """the interval lies within the margin"""
    UNDECIDED = "undecided"


class Method(StrEnum):
    """How the interval was found."""

    HODGES_LEHMANN = "Hodges–Lehmann and Mann–Whitney"
    """six runs or more on each side"""
    GROUPS = "means of groups, Student's t"
    SINGLE = "spread between runs, Student's t"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureComparison:
    """One measure at one point. ``base`` and ``run`` are geometric means of the runs' values, None where no run gives one.

    ``percent`` is the change of RUN against BASE, ``low_percent`` and ``high_percent`` the ends of its 95 % interval.
    ``spread_percent`` is the standard deviation between runs that was taken, from ``spread_runs`` earlier runs; 0: it was
    assumed. ``because`` says in words why a change is undecided; empty elsewhere.
    """

    point: str
    measure: str
    base: float | None
    run: float | None
    base_runs: int
    runs: int
    margin_percent: float
    change: Change
    percent: float | None = None
    low_percent: float | None = None
    high_percent: float | None = None
    method: Method = Method.NONE
    spread_percent: float | None = None
    spread_runs: int = 0
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRegression:
    """A safety check that passed in every run of BASE and did not in ``run``."""

    point: str
    check: str
    status: Status
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs. ``base`` and ``run`` are what was found on each side."""

    what: str
    base: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A run whose figures are doubtful, why, and whether they are used all the same."""

    side: str
    run: str
    because: str
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``differences`` forbid a verdict; ``noted`` may differ. ``across``: the report was asked for in spite of differences,
    without a verdict. ``gaps`` are reasons besides the measures why nothing can be said to be the same."""

    base_name: str
    run_name: str
    base: tuple[HistoryEntry, ...]
    run: tuple[HistoryEntry, ...]
    differences: tuple[Difference, ...] = ()
    noted: tuple[Difference, ...] = ()
    safety: tuple[SafetyRegression, ...] = ()
    measures: tuple[MeasureComparison, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    gaps: tuple[str, ...] = ()
    margins_percent: Mapping[str, float] = field(default_factory=dict)
    across: bool = False

    @property
    def status(self) -> Status:
        """FAIL where something is worse, UNKNOWN where something is not decided or not comparable, else PASS."""
        if self.across:
            return Status.UNKNOWN
        if self.safety:
            return Status.FAIL
        if self.differences:
            return Status.UNKNOWN
        if any(measure.change is Change.WORSE for measure in self.measures):
            return Status.FAIL
        undecided = self.gaps or any(measure.change is Change.UNDECIDED for measure in self.measures)
        return Status.UNKNOWN if undecided or not self.measures else Status.PASS
