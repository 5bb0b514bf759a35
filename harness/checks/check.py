"""A check: one question about a recording or a sweep, with its name, kind, bias and documentation."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from harness.checks.evidence.account import Account
from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.parts import Need as Need  # checks import what they need from here
from harness.checks.evidence.tally import Tally
from harness.model.figure import Figure
from harness.model.finding import Bias, Finding, Kind, Status
from harness.model.measurements.run_measurements import RunMeasurements

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The input of a check of a run. ``measured`` has no claims and decisions yet: they follow from the findings."""

    evidence: Evidence
    tally: Tally
    account: Account
    measured: RunMeasurements


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of a check; see `harness.model.finding.Finding`. ``bias`` replaces the bias of the check if the answer
    has another one."""

    status: Status
    summary: str
    measured: Figure = None
    expected: Figure = None
    samples: int = 0
    pairs: int | None = None
    confidence: str = ""
    examples: tuple[str, ...] = ()
    bias: Bias | None = None


C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[C]):
    """``function`` answers the question; it is called only if ``applies`` returns true.

    ``bias``: in which direction the problem that a VALIDITY check finds falsifies performance figures.
    ``compares_ratio``: the check compares two measured figures with each other and not with a fixed limit, so that a
    bias of either direction can falsify it. ``fail_stands``: a pessimistic bias cannot cause a FAIL of this check.
    ``red_when`` and ``what_to_do`` are its row in docs/results.md. ``planted_bug`` is the test in which a planted error
    turns it red or UNKNOWN.
    """

    name: str
    kind: Kind
    function: Callable[[C], Answer]
    applies: Callable[[C], bool] = lambda case: True
    needs: tuple[Need, ...]
    bias: Bias | None = None
    compares_ratio: bool = False
    fail_stands: bool = False
    red_when: str
    what_to_do: str
    planted_bug: str

    def ask(self, case: C, lacking: Mapping[Need, str] | None = None) -> Finding | None:
        """The finding; None if the check does not apply. A check that crashes says UNKNOWN and raises nothing. A PASS
        without a part that the check needs is UNKNOWN; ``lacking`` says what is missing of each part."""
        try:
            return (
                self._finding(self._with_evidence(self.function(case), lacking or {})) if self.applies(case) else None
            )
        except Exception as error:
            _log.exception("check %s failed", self.name)
            summary = f"the check itself failed: {type(error).__name__}: {error}"
            return self._finding(Answer(status=Status.UNKNOWN, summary=summary, bias=Bias.OPTIMISTIC))

    def _with_evidence(self, answer: Answer, lacking: Mapping[Need, str]) -> Answer:
        missing = [lacking[need] for need in self.needs if need in lacking]
        if answer.status is not Status.PASS or not missing:
            return answer
        summary = f"{answer.summary}; not decided: {'; '.join(missing)}"
        return replace(answer, status=Status.UNKNOWN, summary=summary, confidence="", bias=Bias.OPTIMISTIC)

    def _finding(self, answer: Answer) -> Finding:
        doubtful = self.kind is Kind.VALIDITY and answer.status is not Status.PASS
        return Finding(
            check=self.name,
            kind=self.kind,
            status=answer.status,
            summary=answer.summary,
            measured=answer.measured,
            expected=answer.expected,
            samples=answer.samples,
            pairs=answer.pairs,
            confidence=answer.confidence,
            examples=answer.examples,
            bias=(answer.bias or self.bias or Bias.OPTIMISTIC) if doubtful else None,
        )


def below_limit(value: float | None, limit: float, text: str, key: str, *, samples: int = 0) -> Answer:
    """UNKNOWN if ``value`` reaches its limit. UNKNOWN with an OPTIMISTIC bias if it was not measured."""
    expected = {f"{key}_below": limit}
    if value is None:
        summary = f"{text}: not measured"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected, bias=Bias.OPTIMISTIC)
    status = Status.PASS if value < limit else Status.UNKNOWN
    relation = "below" if status is Status.PASS else "not below"
    unit = key.rpartition("_")[2]
    return Answer(
        status=status,
        summary=f"{text}: {value:.3g} {unit}, {relation} {limit:g} {unit}",
        measured={key: round(value, 4)},
        expected=expected,
        samples=samples,
    )
