"""One line of the history: the data of a run with which other runs can be compared without its recording."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measure of one run; ``low`` and ``high`` are the ends of its 95 % interval within the run, None if the run
    has no interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """A run, one member of a sweep, or a capacity search.

    ``run`` is the recording's folder, relative to the history's. ``began`` is a time in UTC (ISO 8601). ``point`` names
    the place of a member in its sweep (``constant 4 servers``), otherwise it is empty. ``plan`` and ``machine`` are the
    values that must be equal for a comparison, by name; ``plan_key`` and ``machine_key`` are their digests. ``noted``
    are values that may differ and are shown (server module, seed, version of the harness). ``safety`` holds the status
    of each safety check, ``doubts`` the validity checks that did not pass, ``failed`` all checks that failed.
    """

    run: str
    kind: str = "run"
    began: str
    scenario: str
    point: str = ""
    revision: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    plan_key: str
    plan: Mapping[str, str]
    machine_key: str
    machine: Mapping[str, str]
    noted: Mapping[str, str] = field(default_factory=dict)
    verdict: Status
    complete: bool = True
    safety: Mapping[str, Status] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    pessimistic: tuple[str, ...] = ()
    """those of ``doubts`` that can only have made figures worse than the system deserves"""
    failed: tuple[str, ...] = ()
    measures: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether its figures may be compared: the run is complete and nothing falsified the measurement."""
        return self.complete and not self.doubts

    def usable_if(self, doubtful: bool) -> bool:
        """The same; with ``doubtful``, doubts that can only have made figures worse are ignored."""
        return self.complete and not (set(self.doubts) - set(self.pessimistic) if doubtful else self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A person has examined the change that begins with ``run``, and accepts the new level."""

    run: str
    reason: str
    accepted: str
    """when, in UTC (ISO 8601)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """``entries`` in the order of their times. ``damaged``: how many lines could not be read."""

    entries: tuple[HistoryEntry, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    damaged: int = 0
