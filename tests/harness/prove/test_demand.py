from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.figure import Figure
from harness.model.finding import Finding, Kind, Status, Verdict
from harness.prove.demand import Agrees, Demand, Ends, Measures, Observation, Refuses, SafetyIs, Says
from tests.harness.plans import a_plan

PASS, UNKNOWN, FAIL = (Status.PASS,), (Status.UNKNOWN,), (Status.FAIL,)


def finding(check: str, status: Status, measured: Figure = None, kind: Kind = Kind.SAFETY) -> Finding:
    return Finding(check=check, kind=kind, status=status, summary="", measured=measured, expected=0)


LOST = finding("lost", Status.FAIL, 3)
LEDGER = finding("ledger", Status.FAIL, {"rejected": 2, "unsent": 1})
LATE = finding("latency_ms.p99", Status.FAIL, kind=Kind.PERFORMANCE)


def seen(*findings: Finding, events: int | None = 3, status: Status = Status.FAIL) -> Observation:
    verdict = Verdict(status=status, findings=findings, plan=a_plan())
    return Observation(exit_code=1, verdict=verdict, events=events, folder=Path())


REFUSED = Observation(exit_code=2, verdict=None, events=1, folder=Path())


@pytest.mark.parametrize(
    ("demand", "observation", "right"),
    [
        (Says(check="lost", status=FAIL), seen(LOST), True),
        (Says(check="lost", status=FAIL, each=1), seen(LOST), True),
        (Says(check="lost", status=FAIL, each=1), seen(LOST, events=2), False),
        (Says(check="lost", status=FAIL, each=3), seen(LOST, events=1), True),
        (Says(check="lost", status=PASS), seen(LOST), False),
        (Says(check="order", status=FAIL), seen(LOST), False),
        (Says(check="ledger", status=FAIL, each=1, key="rejected"), seen(LEDGER, events=2), True),
        (Says(check="ledger", status=FAIL, each=1), seen(LEDGER, events=3), True),
        (Says(check="ledger", status=FAIL, each=1), seen(LEDGER, events=2), False),
        (SafetyIs(red=frozenset(("lost",))), seen(LOST, LATE), True),
        (SafetyIs(red=frozenset()), seen(LOST), False),
        (SafetyIs(red=frozenset(("lost", "order"))), seen(LOST), False),
        (SafetyIs(red=frozenset(), perhaps=frozenset(("lost",))), seen(LOST), True),
        (SafetyIs(red=frozenset(), perhaps=frozenset(("lost",))), seen(), True),
        (SafetyIs(red=frozenset()), REFUSED, False),
        (Ends(status=(Status.UNKNOWN, Status.FAIL)), seen(LOST), True),
        (Ends(status=PASS), seen(LOST), False),
        (Ends(status=(Status.UNKNOWN, Status.FAIL)), REFUSED, False),
        (Refuses(exit_code=2), REFUSED, True),
        (Refuses(exit_code=4), REFUSED, False),
        (Refuses(exit_code=2), seen(LOST), False),
        (Measures(what="P99", figure=lambda _: 150.0, low=150, high=200), seen(), True),
        (Measures(what="P99", figure=lambda _: 149.9, low=150, high=200), seen(), False),
        (Measures(what="P99", figure=lambda _: None, low=0, high=200), seen(), False),
    ],
)
def test_a_demand_is_met_or_not(demand: Demand, observation: Observation, right: bool) -> None:
    """Demands are about a status, a count for each event, the exact set of red safety checks, an exit code, or a
    figure."""
    assert demand.answer(observation).right is right


@pytest.mark.parametrize(
    "demand", [Says(check="lost", status=FAIL), Says(check="lost", status=FAIL, each=1), Ends(status=FAIL)]
)
def test_what_was_said_without_the_bug_is_no_answer_to_it(demand: Demand) -> None:
    """The undamaged recording already has the same finding, so the bug was not found."""
    observation = seen(LOST)
    assert demand.answer(observation).right
    reply = demand.answer(replace(observation, before=observation.verdict))
    assert not reply.right
    assert reply.said.endswith(", as without the bug")
    assert demand.answer(replace(observation, before=seen(status=Status.PASS).verdict)).right


def test_found_is_what_a_demand_with_a_count_counts() -> None:
    """A demand without a count returns no number."""
    assert Says(check="lost", status=FAIL, each=1).answer(seen(LOST)).found == 3
    assert Says(check="lost", status=FAIL).answer(seen(LOST)).found is None


@pytest.mark.parametrize(("value", "right"), [(20.9, True), (21.1, False), (None, False)])
def test_a_figure_agrees_with_the_target(value: float | None, right: bool) -> None:
    """The figure must be within a millisecond of the target's own measurement."""
    observation = Observation(
        exit_code=0,
        verdict=Verdict(status=Status.PASS, findings=(), plan=a_plan()),
        events=None,
        folder=Path(),
        figures={"p50_ms": 20.0},
    )
    assert Agrees(what="P50", figure=lambda _: value, target="p50_ms", within=1).answer(observation).right is right


def test_a_target_without_stamps_agrees_with_nothing() -> None:
    """Here too, PASS needs evidence."""
    assert not Agrees(what="P50", figure=lambda _: 20.0, target="p50_ms", within=1).answer(seen()).right
