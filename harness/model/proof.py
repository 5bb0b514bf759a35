"""A proof: the result of each planted bug and each control of `harness prove`."""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a bug is planted."""

    SERVER = "in the server"
    WAY = "on the way"
    MEASUREMENT = "in the measurement"
    RECORDING = "in the recording"
    NOWHERE = "nowhere: a control"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """One planted bug or control.

    ``planted`` says what was planted, ``events`` how often by the count of the planter; None where the planter cannot
    count. ``demanded`` is what the verdict had to say and ``said`` what it said, in pairs. ``found`` is how many events the
    verdict counted; None where it does not count them. ``wrong`` lists what did not come out as it must. ``folder`` is the
    recording's, relative to the proof's; empty where there is none. ``attempts``: runs that a busy machine spoiled are made
    again.
    """

    name: str
    place: Place
    planted: str
    events: int | None
    demanded: tuple[str, ...]
    said: tuple[str, ...]
    found: int | None
    wrong: tuple[str, ...]
    took_s: float
    attempts: int = 1
    folder: str = ""

    @property
    def right(self) -> bool:
        return not self.wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A whole series. ``version`` is the harness's, ``scope`` is ``quick``, ``whole`` or the names that were chosen;
    ``began`` is a time in UTC (ISO 8601)."""

    version: str
    scope: str
    began: str
    took_s: float
    machine: str
    rows: tuple[ProofRow, ...]
    complete: bool = True
    """whether every row of the series was tried; false while it lasts, and after an interruption"""

    @property
    def right(self) -> bool:
        """Whether the series was tried to its end and all of it came out as it must."""
        return self.complete and bool(self.rows) and all(row.right for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastProof:
    """Where the newest proof of a version lies on this machine, and how it ended."""

    version: str
    scope: str
    began: str
    right: int
    total: int
    page: str
    """the absolute path of its HTML page"""
