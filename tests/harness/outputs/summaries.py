"""Summaries for tests, made from hand-written verdicts and from hostile text."""

from typing import Any

from harness.model.history import Measured
from harness.model.status import Status
from harness.model.summary import Case, CaseResult, Summary
from harness.outputs.summary import summary_of
from tests.harness.report import verdicts

HOSTILE = 'a|b `c` <d> "e" & ::error:: \x00\x1b[31m \ud800 \\ ]]> %0A\nnext line'


def of(verdict: Any, **changes: Any) -> Summary:
    return summary_of(verdict, verdicts.MACHINE, verdicts.EVENTS, **changes)


def passed() -> Summary:
    return of(verdicts.passed(), not_applicable=("reconnected",), report="results/scenario-a/x/report.html")


def failed() -> Summary:
    return of(verdicts.failed())


def hostile() -> Summary:
    """Hostile text in every field that a foreign server or shell can fill."""
    case = Case(
        name="check", group="safety", result=CaseResult.FAIL, summary=HOSTILE, measured=HOSTILE, details=(HOSTILE,)
    )
    return Summary(
        name="scenario-a",
        title=HOSTILE,
        status=Status.FAIL,
        sentence=HOSTILE,
        cases=(case,),
        measures={"constant 4 servers, 1: delivery_p99_ms": Measured(value=12.0, low=11.0, high=13.0)},
        labels={"scenario": "scenario-a", "backplane": HOSTILE},
        properties={"machine": HOSTILE},
        report=HOSTILE,
    )


def many_failures(count: int) -> Summary:
    """``count`` failed cases, after ``count`` undecided cases."""
    cases = [
        Case(name=f"{result}-{number}", group="safety", result=result, summary="it did not hold")
        for result in (CaseResult.UNKNOWN, CaseResult.FAIL)
        for number in range(count)
    ]
    return Summary(name="scenario-a", title="t", status=Status.FAIL, sentence="s", cases=tuple(cases))


def empty() -> Summary:
    return Summary(name="scenario-a", title="Nothing", status=Status.UNKNOWN, sentence="nothing was measured")


EVERY = (passed, failed, hostile, empty)
