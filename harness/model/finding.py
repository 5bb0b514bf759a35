"""Findings and the verdict over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.figure import Figure
from harness.model.measurements.claims import Claim, Decision
from harness.model.measurements.matrix_measurements import MatrixMeasurements
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.sweep_measurements import SweepMeasurements
from harness.model.plan import Plan
from harness.model.status import Status as Status  # a finding's status is imported from here
from harness.model.status import worst as worst


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

    ``check`` is a stable word for programs, ``summary`` one sentence for people. ``samples`` is the number of
    observations: messages, if the answer is about messages or deliveries, since the deliveries of one message are not
    independent of each other; ``pairs`` is the number of deliveries, (client, message) pairs. ``confidence`` says what
    that number proves (e.g. ``rate < 2.5e-06 at 95 %``). ``examples`` lists a few concrete cases, at most 20. ``bias``
    is set on VALIDITY findings that did not pass.
    """

    check: str
    kind: Kind
    status: Status
    summary: str
    measured: Figure
    expected: Figure
    samples: int = 0
    pairs: int | None = None
    confidence: str = ""
    examples: tuple[str, ...] = ()
    bias: Bias | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Curves for one time plot: ``x`` in ``x_unit``, each of ``lines`` as long as ``x``; None if there is no
    value."""

    x_label: str
    y_label: str
    x: tuple[float, ...]
    lines: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict over a recording. It is made from the recording alone, so it can be made again at any time.

    ``run`` holds the measurements of a single run, ``sweep`` those of a sweep, ``matrix`` those of a matrix; the others
    are None.
    """

    status: Status
    findings: tuple[Finding, ...]
    run: RunMeasurements | None = None
    sweep: SweepMeasurements | None = None
    matrix: MatrixMeasurements | None = None
    plan: Plan
    series: Mapping[str, Series] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[Claim, ...]:
        measured = self.run or self.sweep or self.matrix
        return measured.claims if measured else ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        measured = self.run or self.sweep or self.matrix
        return measured.decisions if measured else ()
