"""Trends: one series for each plan, machines kept apart, changes with their direction."""

import math
from dataclasses import replace

import numpy as np

from harness.history.trend import recent_worse, trend_of
from harness.model.history import Acceptance, History
from harness.model.measure import USUAL_MARGINS
from harness.model.status import Status
from tests.harness.history.entries import an_entry, nights


def step(percent: float, before: int = 20, after: int = 8, seed: int = 1) -> list[float]:
    logs = np.random.default_rng(seed).normal(0.0, 0.02, before + after)
    logs[before:] += math.log(1 + percent / 100)
    return [float(value) for value in 50 * np.exp(logs)]


def history(values: list[float], measure: str = "servers_cpu_us_per_delivery", **changes: object) -> History:
    return History(entries=tuple(nights(values, measure, **changes)))


def test_a_slower_server_is_a_change_for_the_worse() -> None:
    """The first run after the change is named, with its revision."""
    entries = [replace(entry, revision=f"r{i}") for i, entry in enumerate(nights(step(15)))]
    trend = trend_of(History(entries=tuple(entries)))
    (point,) = trend.series[0].change_points
    assert (point.first, point.run, point.revision, point.worse) == (20, "scenario-a/night-020", "r20", True)
    assert recent_worse(trend, 8) == (point,)
    assert recent_worse(trend, 7) == ()


def levels(*values: float, each: int = 12) -> History:
    """Nights that differ by 0.2 % around each of these levels in turn."""
    noise = np.random.default_rng(3).normal(0.0, 0.002, each * len(values))
    return history([float(value) for value in np.repeat(values, each) * np.exp(noise)])


def test_a_change_within_its_margin_is_shown_and_gives_no_alarm() -> None:
    """4 % of CPU are found, because the nights differ by 0.2 %. They are within a margin of 5 %, and beyond one of
    3 %."""
    (point,) = trend_of(levels(50, 52)).series[0].change_points
    assert (point.worse, point.within_margin, point.margin_percent, point.alarms) == (True, True, 5.0, False)
    assert recent_worse(trend_of(levels(50, 52)), 12) == ()
    narrow = trend_of(levels(50, 52), margins_percent={**USUAL_MARGINS, point.measure: 3.0})
    assert len(recent_worse(narrow, 12)) == 1


def test_small_steps_that_add_up_give_an_alarm() -> None:
    """Three steps of 4 %: the second one is 8 % above the first level. The third one is 4 % above the second."""
    points = trend_of(levels(50, 52, 54.1, 56.2)).series[0].lines[0].change_points
    assert [point.within_margin for point in points] == [True, False, True]
    assert [round(point.percent) for point in points] == [4, 4, 4]
    assert [round(point.total_percent) for point in points] == [4, 8, 4]


def test_an_accepted_change_is_the_level_that_counts() -> None:
    """The first step was accepted. The next step of 4 % is compared with the level after it."""
    made = levels(50, 52, 54.1)
    accepted = replace(made, acceptances=(Acceptance(run="scenario-a/night-012", reason="a new field", accepted=""),))
    points = trend_of(accepted).series[0].lines[0].change_points
    assert [(point.within_margin, bool(point.accepted)) for point in points] == [(True, True), (True, False)]
    assert trend_of(accepted).series[0].change_points[0].alarms is False


def test_a_level_that_comes_back_is_a_change_for_the_better() -> None:
    """20 % more, and then as before: both changes are beyond the margin, and the first one gives an alarm."""
    points = trend_of(levels(50, 60, 50)).series[0].lines[0].change_points
    assert [(point.within_margin, point.alarms) for point in points] == [(False, True), (False, False)]


def test_less_cost_is_better_and_less_capacity_is_worse() -> None:
    """The measure defines which direction is better."""
    assert not trend_of(history(step(-15))).series[0].change_points[0].worse
    assert trend_of(history(step(-15), "capacity")).series[0].change_points[0].worse


def test_another_machine_is_no_change() -> None:
    """A change of the machine is a line in the figure. Runs are compared only with runs of the same machine."""
    values = step(40)
    entries = [
        replace(entry, machine_key="machine0" if index < 20 else "machine1")
        for index, entry in enumerate(nights(values))
    ]
    series = trend_of(History(entries=tuple(entries))).series[0]
    assert series.machine_changes == (20,)
    assert series.change_points == ()


def test_plans_are_series_of_their_own() -> None:
    """Runs with different load are never in one curve."""
    entries = (*nights([1.0, 2.0]), an_entry(9, plan_key="plan1", run="scenario-b/x", scenario="scenario-b"))
    assert [len(series.entries) for series in trend_of(History(entries=entries)).series] == [1, 2]
    assert len(trend_of(History(entries=entries), scenario="scenario-b").series) == 1


def test_falsified_runs_are_not_used_unless_asked() -> None:
    """A run with a late sender has no value unless the user asks for it. A run with an optimistic bias never has a
    value."""
    found = history([1.0, 2.0], doubts=("send-lateness",), pessimistic=("send-lateness",))
    assert trend_of(found).series[0].lines == ()
    assert trend_of(found).series[0].unused == 2
    assert trend_of(found, with_doubtful=True).series[0].lines[0].values == (1.0, 2.0)
    optimistic = history([1.0, 2.0], doubts=("throughput",))
    assert trend_of(optimistic, with_doubtful=True).series[0].lines == ()


def test_an_accepted_change_alarms_no_more() -> None:
    """The change stays in the list with its reason. An acceptance of the neighbouring run counts too, because a change
    may move by one run."""
    entries = tuple(nights(step(15)))
    for run in (20, 21):
        accepted = Acceptance(run=entries[run].run, reason="more checks", accepted="2026-02-01")
        trend = trend_of(History(entries=entries, acceptances=(accepted,)))
        assert trend.series[0].change_points[0].accepted == "more checks"
        assert recent_worse(trend, 100) == ()


def test_a_missing_measure_is_a_gap() -> None:
    """Each value stays at the index of its run."""
    entries = (an_entry(0), an_entry(1, {"delivery_p99_ms": 5.0}, verdict=Status.FAIL))
    lines = {line.measure: line.values for line in trend_of(History(entries=entries)).series[0].lines}
    assert lines == {"servers_cpu_us_per_delivery": (50.0, None), "delivery_p99_ms": (None, 5.0)}
