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

    ``planted`` says what was planted, ``events`` how often by the planter's count; None if the planter cannot count.
    ``demanded`` is the expected verdict and ``said`` the actual one, in pairs. ``found`` is how many events the verdict
    counted; None if it does not count them. ``wrong`` lists the differences. ``folder`` is the recording's, relative to
    the proof's; empty if there is none. ``attempts``: runs that a busy machine disturbed are repeated.
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
    """whether every row of the series was tried; false while it runs, and after an interruption"""

    @property
    def right(self) -> bool:
        """Whether the whole series was tried and every verdict was the expected one."""
        return self.complete and bool(self.rows) and all(row.right for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastProof:
    """The place of the newest proof of a version on this machine, and its result."""

    version: str
    scope: str
    began: str
    right: int
    total: int
    page: str
    """the absolute path of its HTML page"""
