"""A comparison: first whether the runs are comparable, then safety, then the measures."""

from dataclasses import replace

import numpy as np

from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.model.comparison import Change, Comparison
from harness.model.history import HistoryEntry
from harness.model.status import Status
from tests.harness.history.entries import MACHINE, an_entry, nights

HISTORY = nights([float(value) for value in 50 * np.exp(np.random.default_rng(3).normal(0.0, 0.005, 30))])


def compared(
    base: list[HistoryEntry], run: list[HistoryEntry], history: list[HistoryEntry] = HISTORY, **options: object
) -> Comparison:
    return compare(
        base,
        run,
        history,
        base_name="b",
        run_name="r",
        margins_percent=margins_of(()),
        **options,
    )


def other(value: float = 50.0, **changes: object) -> HistoryEntry:
    return an_entry(90, {"servers_cpu_us_per_delivery": value}, **changes)


def test_the_same_is_a_pass_and_slower_is_a_fail() -> None:
    """The spread of the history decides."""
    assert compared([an_entry(0)], [other(50.2)]).status is Status.PASS
    assert compared([an_entry(0)], [other(58.0)]).status is Status.FAIL
    better = compared([an_entry(0)], [other(42.0)])
    assert (better.status, better.measures[0].change) == (Status.PASS, Change.BETTER)


def test_safety_comes_before_any_figure() -> None:
    """A faster run that lost a message is a regression."""
    lost = other(20.0, safety={"lost": Status.FAIL, "order": Status.PASS})
    found = compared([an_entry(0)], [lost])
    assert found.status is Status.FAIL
    assert [(each.check, each.status) for each in found.safety] == [("lost", Status.FAIL)]


def test_safety_that_is_not_known_any_more_is_a_regression() -> None:
    """A check that passed in BASE must pass in RUN. UNKNOWN is not enough."""
    assert compared([an_entry(0)], [other(safety={"lost": Status.UNKNOWN})]).status is Status.FAIL


def test_what_failed_before_is_no_regression() -> None:
    """BASE also lost a message."""
    bad = {"lost": Status.FAIL}
    assert compared([an_entry(0, safety=bad)], [other(safety=bad)]).safety == ()


def test_another_plan_is_not_comparable() -> None:
    """Each different part is named with both values. No measure is judged."""
    run = other(10.0, plan_key="plan1", plan={**an_entry().plan, "servers": "8"})
    found = compared([an_entry(0)], [run])
    assert [(each.what, each.base, each.run) for each in found.differences] == [("servers", "4", "8")]
    assert found.status is Status.UNKNOWN
    assert found.measures == ()


def test_another_machine_is_not_comparable_but_safety_is() -> None:
    """A lost message counts on every machine."""
    machine = {**MACHINE, "cores": "4"}
    run = other(10.0, machine_key="machine1", machine=machine, safety={"lost": Status.FAIL})
    found = compared([an_entry(0)], [run])
    assert [each.what for each in found.differences] == ["machine: cores"]
    assert found.status is Status.FAIL


def test_across_reports_without_a_verdict() -> None:
    """The measures are shown, but there is no decision."""
    run = other(80.0, machine_key="machine1", machine={**MACHINE, "cores": "4"})
    found = compared([an_entry(0)], [run], across=True)
    assert found.measures
    assert found.status is Status.UNKNOWN


def test_falsified_runs_are_never_compared() -> None:
    """The sender was late. The run is named and left out, so no sample remains."""
    found = compared([an_entry(0)], [other(90.0, doubts=("send-lateness",))])
    assert found.status is Status.UNKNOWN
    assert found.left_out[0].because == "send-lateness"
    assert found.gaps


def test_doubtful_runs_count_where_they_are_asked_for() -> None:
    """The user can allow runs with a pessimistic bias, but not runs with an optimistic bias."""
    late = {"doubts": ("steal",), "pessimistic": ("steal",)}
    found = compared([an_entry(0, **late)], [other(**late)], doubtful=True)
    assert found.status is Status.PASS
    assert all(each.used for each in found.left_out)
    assert compared([an_entry(0)], [other(doubts=("throughput",))], doubtful=True).status is Status.UNKNOWN


def test_one_bad_night_in_a_group_is_left_out() -> None:
    """Up to a quarter of the runs of a group may be unusable."""
    base = nights([50.0] * 8)
    run = [replace(entry, run=f"new/{i}") for i, entry in enumerate(nights([50.0] * 8))]
    run[3] = replace(run[3], doubts=("steal",))
    found = compared(base, run)
    assert found.status is Status.PASS
    assert len(found.left_out) == 1


def test_a_measure_that_vanished_is_undecided() -> None:
    """Missing evidence is no PASS."""
    found = compared([an_entry(0)], [an_entry(90, {"delivery_p50_ms": 3.0})])
    assert {measure.change for measure in found.measures} == {Change.UNDECIDED}
    assert found.status is Status.UNKNOWN


def test_nothing_in_common_is_not_the_same() -> None:
    """A comparison without measures does not pass."""
    assert compared([an_entry(0)], [other()], only=["capacity"]).status is Status.UNKNOWN


def test_a_run_s_own_value_is_not_its_noise() -> None:
    """After `run` the history contains RUN. RUN does not widen the spread by which it is judged."""
    run = [replace(entry, run=f"new/{i}") for i, entry in enumerate(nights([58.0] * 3))]
    assert compared([an_entry(0)], run, [*HISTORY[-6:], *run]).status is Status.FAIL


def test_points_of_sweeps_are_compared_one_by_one() -> None:
    """Each point has its own plan. A point that one side lacks is named."""

    def sweep(prefix: str, *points: int) -> list[HistoryEntry]:
        return [
            an_entry(
                kind="member",
                run=f"{prefix}/{servers}",
                point=f"constant {servers} servers",
                plan_key=f"p{servers}",
                plan={"servers": str(servers)},
            )
            for servers in points
        ]

    found = compared(sweep("a", 2, 4), sweep("b", 2, 4))
    assert [measure.point for measure in found.measures] == ["constant 2 servers", "constant 4 servers"]
    assert compared(sweep("a", 2, 4), sweep("b", 2)).differences[0].what == "constant 4 servers: runs"


def test_what_may_differ_is_noted() -> None:
    """The seed and the revision may differ."""
    found = compared([an_entry(0)], [other(noted={"seed": "2"}, revision="abc")])
    assert [each.what for each in found.noted] == ["seed", "revision"]


def test_groups_of_mixed_plans_are_not_comparable() -> None:
    """A pattern of the user also matched a run of another size."""
    mixed = [an_entry(0), an_entry(1, plan={**an_entry().plan, "servers": "8"})]
    assert compared(mixed, [other()]).differences[0].what == "servers"
