"""What the architecture claims and decides, and what a run says of it."""

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
    """One claim beside what was measured. ``step`` is the step that it is about; empty where it is about no step."""

    claim: str
    source: str
    step: str = ""
    expected: Figure
    measured: Figure
    status: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision record, and in a sentence what this run says of it."""

    adr: str
    title: str
    status: Outcome
    evidence: str
