"""The result of a command for a CI system: one type for a run, a sweep, a proof and a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.history import Measured
from harness.model.status import Status


class CaseResult(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOTED = "noted"
    """did not pass, but the verdict is still valid: the problem can only have made figures worse"""
    SKIPPED = "skipped"
    """it does not apply here"""

    @classmethod
    def of(cls, status: Status) -> "CaseResult":
        return cls(str(status))


SEVERITY = {
    CaseResult.FAIL: 0,
    CaseResult.UNKNOWN: 1,
    CaseResult.NOTED: 2,
    CaseResult.PASS: 3,
    CaseResult.SKIPPED: 4,
}
"""The order in which cases are shown: the deciding ones first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One check, planted bug or compared measure. ``group`` is its kind. ``summary`` is one sentence; ``measured``,
    ``expected`` and ``details`` (lines) are words, or empty."""

    name: str
    group: str
    result: CaseResult
    summary: str
    measured: str = ""
    expected: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """``name`` is the suite's: a scenario, ``prove``, ``compare``. ``labels`` are few and rarely change (scenario,
    servers …): they become labels of metrics. ``properties`` are all further facts (machine, plan, seed). ``measures``
    are by the names of `harness.model.measure`, with the place in a sweep before them, if any. ``report`` is a path, or
    empty."""

    name: str
    title: str
    status: Status
    sentence: str
    began: str = ""
    took_s: float | None = None
    cases: tuple[Case, ...] = ()
    measures: Mapping[str, Measured] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    report: str = ""

    @property
    def worst_first(self) -> tuple[Case, ...]:
        return tuple(sorted(self.cases, key=lambda case: SEVERITY[case.result]))

    def count(self, result: CaseResult) -> int:
        return sum(case.result is result for case in self.cases)
