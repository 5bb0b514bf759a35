"""The architecture's claims and decisions, and the evidence of a run."""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.figure import Figure


class Outcome(StrEnum):
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_REACHED = "not reached"
    """neither of the two, or not measured"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim beside the measured figure. ``step`` is the step that it is about; empty if it is not about a step."""

    claim: str
    source: str
    step: str = ""
    expected: Figure
    measured: Figure
    status: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision record, and this run's evidence in a sentence."""

    adr: str
    title: str
    status: Outcome
    evidence: str
