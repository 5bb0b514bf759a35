"""The expected verdict of a planted bug, and the comparison with the actual one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.model.finding import Finding, Kind, Status, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The result of one run. ``verdict`` is None if the harness refused to judge; ``events`` is the planter's count,
    None if it cannot count. ``figures`` are a target's own measurements. ``before`` is the verdict over the same
    recording without the bug, if there is one: its findings do not count as answers to the bug."""

    exit_code: int
    verdict: Verdict | None
    events: int | None
    folder: Path
    errors: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    before: Verdict | None = None

    def finding(self, check: str) -> Finding | None:
        return _finding(self.verdict, check)

    def said_before(self, check: str) -> bool:
        """Whether the verdict without the bug has the very same finding."""
        found = _finding(self.before, check)
        return found is not None and found == self.finding(check)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The expected and the actual result, and whether they agree. ``found``: how many events."""

    demanded: str
    said: str
    right: bool
    found: int | None = None


class Demand(Protocol):
    def answer(self, observation: Observation) -> Reply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The check has one of these statuses. ``each``: how many it must count for one planted event; None: any number.
    ``key`` is the counting field of the finding's figure, if the figure has several; without it all are added.
    """

    check: str
    status: tuple[Status, ...]
    each: int | None = None
    key: str = ""

    def answer(self, observation: Observation) -> Reply:
        demanded = f"{self.check} {_words(self.status)}"
        expected = None if self.each is None or observation.events is None else self.each * observation.events
        if expected is not None:
            demanded += f" with {expected:,}"
        finding = observation.finding(self.check)
        if finding is None:
            return Reply(demanded=demanded, said=f"{self.check} was not asked", right=False)
        found = _count(finding, self.key)
        said = f"{self.check} {_words((finding.status,))}" + ("" if found is None else f" with {found:,}")
        right = finding.status in self.status and (expected is None or found == expected)
        if observation.said_before(self.check):
            return Reply(demanded=demanded, said=f"{said}, as without the bug", right=False, found=found)
        return Reply(demanded=demanded, said=said, right=right, found=found if self.each is not None else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyIs:
    """Exactly these safety checks are red. Those in ``perhaps`` may be red as well."""

    red: frozenset[str]
    perhaps: frozenset[str] = frozenset()

    def answer(self, observation: Observation) -> Reply:
        demanded = f"red safety checks: {', '.join(sorted(self.red)) or 'none'}"
        if observation.verdict is None:
            return Reply(demanded=demanded, said="no verdict", right=False)
        red = {
            finding.check
            for finding in observation.verdict.findings
            if finding.kind is Kind.SAFETY and finding.status is Status.FAIL
        }
        said = f"red safety checks: {', '.join(sorted(red)) or 'none'}"
        return Reply(demanded=demanded, said=said, right=self.red <= red <= self.red | self.perhaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The whole verdict has one of these statuses."""

    status: tuple[Status, ...]

    def answer(self, observation: Observation) -> Reply:
        demanded = f"verdict {_words(self.status)}"
        if observation.verdict is None:
            return Reply(demanded=demanded, said=_no_verdict(observation), right=False)
        status = observation.verdict.status
        said = f"verdict {_words((status,))}"
        if observation.before is not None and observation.before.status is status:
            return Reply(demanded=demanded, said=f"{said}, as without the bug", right=False)
        return Reply(demanded=demanded, said=said, right=status in self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuses:
    """The harness refuses to judge, with this exit code."""

    exit_code: int

    def answer(self, observation: Observation) -> Reply:
        demanded = f"no verdict, exit code {self.exit_code}"
        if observation.verdict is not None:
            return Reply(demanded=demanded, said=f"verdict {_words((observation.verdict.status,))}", right=False)
        right = observation.exit_code == self.exit_code
        return Reply(demanded=demanded, said=_no_verdict(observation), right=right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """A figure of the verdict lies between two bounds. ``figure`` returns None if it was not measured."""

    what: str
    figure: Callable[[Verdict], float | None]
    low: float
    high: float

    def answer(self, observation: Observation) -> Reply:
        demanded = f"{self.what} between {self.low:g} and {self.high:g}"
        value = self.figure(observation.verdict) if observation.verdict else None
        if value is None:
            return Reply(demanded=demanded, said=f"{self.what} was not measured", right=False)
        return Reply(demanded=demanded, said=f"{self.what} {value:g}", right=self.low <= value <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agrees:
    """A figure of the verdict differs by at most ``within`` from the target's own figure ``target``."""

    what: str
    figure: Callable[[Verdict], float | None]
    target: str
    within: float

    def answer(self, observation: Observation) -> Reply:
        own = observation.figures.get(self.target)
        value = self.figure(observation.verdict) if observation.verdict else None
        if own is None or value is None:
            return Reply(demanded=f"{self.what} as the target's own", said=f"{self.what} was not measured", right=False)
        demanded = f"{self.what} {own:.2f} ± {self.within:g}"
        return Reply(demanded=demanded, said=f"{self.what} {value:.2f}", right=abs(value - own) <= self.within)


def _finding(verdict: Verdict | None, check: str) -> Finding | None:
    return next((finding for finding in verdict.findings if finding.check == check), None) if verdict else None


def _no_verdict(observation: Observation) -> str:
    return f"no verdict, exit code {observation.exit_code}"


def _words(statuses: tuple[Status, ...]) -> str:
    return " or ".join(status.value.upper() for status in statuses)


def _count(finding: Finding, key: str) -> int | None:
    measured = finding.measured
    if isinstance(measured, Mapping):
        counts = [value for name, value in measured.items() if key in ("", name) and _is_count(value)]
        return sum(value for value in counts if isinstance(value, int)) if counts else None
    return measured if isinstance(measured, int) and _is_count(measured) else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
