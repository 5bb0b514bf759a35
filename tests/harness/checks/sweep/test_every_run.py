"""Properties that every run of a sweep must show."""

from collections.abc import Callable, Sequence

import pytest

from harness.checks.check import Answer
from harness.checks.sweep import every_run
from harness.checks.sweep.member import Ran
from harness.model.finding import Bias, Kind, Status
from tests.harness.checks.sweep.test_scaling import a_finding, a_verdict, sweep_of

MEMBERS = sweep_of().members[:3]


def runs(*statuses: tuple[Kind, str, Status, Bias | None] | None) -> list[Ran]:
    """One run for each entry, with this finding beside those that pass, or without a verdict."""
    return [
        Ran(
            member=member,
            verdict=None if given is None else a_verdict(member, a_finding(given[1], given[0], given[2], given[3])),
            recording=None,
        )
        for member, given in zip(MEMBERS, statuses, strict=False)
    ]


GOOD = (Kind.SAFETY, "order", Status.PASS, None)
LATE = (Kind.PERFORMANCE, "completion_latency", Status.FAIL, None)
WRONG = (Kind.SAFETY, "order", Status.FAIL, None)
OPEN = (Kind.SAFETY, "order", Status.UNKNOWN, None)
PESSIMISTIC = (Kind.VALIDITY, "loop-lag", Status.UNKNOWN, Bias.PESSIMISTIC)
OPTIMISTIC = (Kind.VALIDITY, "gaps", Status.UNKNOWN, Bias.OPTIMISTIC)


@pytest.mark.parametrize(
    ("question", "given", "status", "words"),
    [
        (every_run.delivery, runs(GOOD, GOOD), Status.PASS, "every safety check passed in all 2 runs"),
        (every_run.delivery, runs(GOOD, WRONG), Status.FAIL, "1 safety checks of 2 runs"),
        (every_run.delivery, runs(GOOD, OPEN), Status.UNKNOWN, "1 safety checks of 2 runs"),
        (every_run.delivery, runs(GOOD, None), Status.UNKNOWN, "1 safety checks of 2 runs"),
        (every_run.delivery, runs(WRONG, None), Status.FAIL, "2 safety checks of 2 runs"),
        (every_run.delivery, [], Status.UNKNOWN, "0 safety checks of 0 runs"),
        (every_run.latency_limit, runs(GOOD, GOOD), Status.PASS, "kept in all 2 runs"),
        (every_run.latency_limit, runs(GOOD, LATE), Status.FAIL, "not shown to be kept in 1 of 2 runs"),
        (every_run.latency_limit, runs(GOOD, None), Status.UNKNOWN, "not shown to be kept in 1 of 2 runs"),
        (every_run.latency_limit, [], Status.UNKNOWN, "of 0 runs"),
        (every_run.completeness, runs(GOOD, GOOD, GOOD), Status.PASS, "3 of 3 planned runs"),
        (every_run.completeness, runs(GOOD, None), Status.UNKNOWN, "1 of 2 planned runs"),
        (every_run.completeness, [], Status.UNKNOWN, "0 of 0 planned runs"),
        (every_run.validity, runs(GOOD, GOOD), Status.PASS, "all validity checks passed in all 2 runs"),
        (every_run.validity, runs(GOOD, PESSIMISTIC), Status.UNKNOWN, "in 1 of 2 runs: loop-lag"),
        (every_run.validity, [], Status.UNKNOWN, "no run was made"),
    ],
)
def test_one_run_decides_for_all(
    question: Callable[[Sequence[Ran]], Answer], given: Sequence[Ran], status: Status, words: str
) -> None:
    """The worst run counts. A run without a verdict is no evidence, and neither is an empty sweep."""
    found = question(given)
    assert found.status is status
    assert words in found.summary


@pytest.mark.parametrize(
    ("given", "bias"),
    [
        (runs(PESSIMISTIC, GOOD), Bias.PESSIMISTIC),
        (runs(PESSIMISTIC, OPTIMISTIC), Bias.OPTIMISTIC),
        (runs(PESSIMISTIC, None), Bias.OPTIMISTIC),
    ],
)
def test_the_bias_of_a_sweep_is_the_worst_of_its_runs(given: Sequence[Ran], bias: Bias) -> None:
    """One optimistic run, or one run without a verdict, makes the bias of the sweep optimistic."""
    assert every_run.validity(given).bias is bias


def test_what_is_wrong_names_its_run() -> None:
    """A reader can open the report of that run."""
    found = every_run.delivery(runs(GOOD, WRONG, None))
    assert found.examples == (f"{MEMBERS[1].name}: order", f"{MEMBERS[2].name}: left no verdict")
    assert found.confidence == ""
    assert "of 2,000 messages" in every_run.delivery(runs(GOOD, GOOD)).confidence
