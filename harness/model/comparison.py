"""A comparison of two groups of runs: differences that forbid it, safety regressions, and each measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.history import HistoryEntry
from harness.model.status import Status


class Change(StrEnum):
    """The interval of a change, compared with the margin."""

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
    """One measure at one point. ``base`` and ``run`` are geometric means of the runs' values, None if no run has one.

    ``percent`` is the change of RUN against BASE, ``low_percent`` and ``high_percent`` the ends of its 95 % interval.
    ``spread_percent`` is the standard deviation between runs that was used, from ``spread_runs`` earlier runs; 0: it
    was assumed. ``because`` says why a change is undecided; otherwise it is empty.
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
    """One difference. ``base`` and ``run`` are the values of the sides."""

    what: str
    base: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A run whose figures are doubtful, the reason, and whether they are still used."""

    side: str
    run: str
    because: str
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``differences`` forbid a verdict; ``noted`` may differ. ``across``: the report was requested in spite of
    differences, without a verdict. ``gaps`` are further reasons, beside the measures, why the result cannot be
    "same"."""

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
        """FAIL if something is worse, UNKNOWN if something is not decided or not comparable, else PASS."""
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
