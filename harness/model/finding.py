"""Findings and the verdict over them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.plan import Plan


class Status(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    UNKNOWN = "unknown"
    FAIL = "fail"


_SEVERITY = {Status.PASS: 0, Status.UNKNOWN: 1, Status.FAIL: 2}


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of ``statuses`` in the order PASS < UNKNOWN < FAIL; UNKNOWN where there is none: no evidence is no PASS."""
    return max(statuses, key=_SEVERITY.__getitem__, default=Status.UNKNOWN)


class Kind(StrEnum):
    SAFETY = "safety"
    PERFORMANCE = "performance"
    VALIDITY = "validity"


class Bias(StrEnum):
    """In which direction a problem of the measurement falsifies performance figures."""

    PESSIMISTIC = "pessimistic"
    """it can only make figures worse than the system deserves: a PASS stands, a FAIL is not decided"""
    OPTIMISTIC = "optimistic"
    """it can make figures better than the system deserves: neither PASS nor FAIL is decided"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question about a recording.

    ``check`` is a stable word for programs; ``summary`` one sentence for people. ``measured`` and ``expected`` are
    JSON values, with units in their keys or text. ``samples`` is how many observations the answer rests on;
    ``confidence`` says what the sample supports (e.g. ``"loss < 2.5e-06 at 95 %"``). ``examples`` lists a few concrete
    cases, at most 20. ``bias`` is set on VALIDITY findings that did not pass.
    """

    check: str
    kind: Kind
    status: Status
    summary: str
    measured: Any
    expected: Any
    samples: int = 0
    confidence: str = ""
    examples: tuple[str, ...] = ()
    bias: Bias | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Curves for one time plot: ``x`` in ``x_unit``, each of ``lines`` as long as ``x``; None where nothing was seen."""

    x_label: str
    y_label: str
    x: tuple[float, ...]
    lines: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a recording proves. Made from the recording alone, so it can be made again whenever wanted."""

    status: Status
    findings: tuple[Finding, ...]
    measurements: dict[str, Any]
    plan: Plan
    series: Mapping[str, Series] = field(default_factory=dict)
