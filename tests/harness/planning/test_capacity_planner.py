"""The plan of a capacity search, and the plans of its steps."""

from dataclasses import replace
from math import floor

import pytest

from harness.model.capacity import Vary
from harness.model.fault import FaultKind
from harness.model.machine_limits import MachineLimits
from harness.planning.capacity_planner import as_step_request, capacity_objections, plan_capacity, step_plan
from harness.planning.objections import MAX_MESSAGES
from harness.planning.request import Request
from tests.harness.planning.test_pilot import plan_of
from tests.harness.planning.test_planner import MACHINE


def test_a_search_begins_at_the_size_of_the_plan() -> None:
    """The varied number starts at the plan's value, and the latency limit is the requested one. A search has no faults
    and no pilot."""
    search = plan_capacity(plan_of(as_step_request(Request()), "scenario-b"), Vary.RATE, 50.0, MACHINE).plan
    assert search.start == search.plan.rate_hz
    assert search.plan.faults == ()
    assert [(wish.measure, wish.limit_ms) for wish in search.plan.expectations] == [("latency_ms", 50.0)]
    assert search.plan.pilot is None
    assert search.plan.duration_s == 10


def test_each_step_varies_one_number() -> None:
    """Each step has its own run id for its channel names, and the number of channels follows its load."""
    plan = plan_of(Request(clients=1_000, audience=20, rate_hz=100))
    for vary, value in ((Vary.RATE, 400), (Vary.CLIENTS, 2_000), (Vary.AUDIENCE, 50)):
        step = step_plan(plan_capacity(plan, vary, 100, MACHINE).plan, 7, value, MACHINE)
        numbers = {"rate": step.rate_hz, "clients": step.clients, "audience": step.audience}
        assert numbers == {"rate": 100, "clients": 1_000, "audience": 20} | {vary: value}
        assert step.channels == step.clients // step.audience
        assert step.run_id == "rtests7"


def test_the_repetition_of_an_undecided_step_lasts_longer() -> None:
    """The repetition lasts three times as long and needs more disk. Its command is still that of the search, with short
    steps."""
    search = plan_capacity(plan_of(as_step_request(Request())), Vary.RATE, 100, MACHINE).plan
    first, again = (step_plan(search, number, 400, MACHINE, repeats_undecided=number == 2) for number in (1, 2))
    assert (first.duration_s, again.duration_s) == (10.0, 30.0)
    assert again.need.disk_bytes > first.need.disk_bytes
    assert again.command == first.command


def test_an_audience_of_all_follows_the_clients() -> None:
    """With the audience `all` every step has one channel."""
    plan = plan_of(Request(clients=500, audience="all", rate_hz=10))
    step = step_plan(plan_capacity(plan, Vary.CLIENTS, 100, MACHINE).plan, 1, 800, MACHINE)
    assert (step.clients, step.audience, step.channels) == (800, 800, 1)


def test_the_ceiling_is_what_the_machine_holds_but_for_its_cpu() -> None:
    """Memory, descriptors and ports limit the clients, and the number of clients limits the audience. The CPU is no
    ceiling."""
    plan = plan_of(Request(clients=1_000, audience=20, rate_hz=100))
    clients = plan_capacity(plan, Vary.CLIENTS, 100, replace(MACHINE, ephemeral_ports=5_000)).plan
    assert clients.ceiling == 4 * 4_000
    assert plan_capacity(plan, Vary.AUDIENCE, 100, MACHINE).plan.ceiling == 1_000
    assert plan_capacity(plan, Vary.RATE, 100, MACHINE).plan.ceiling > 10_000


def test_clients_are_not_varied_below_a_given_audience() -> None:
    """This also holds if the given number equals the number of clients. An audience that was given as a number stays
    that number."""
    plan = plan_of(Request(clients=500, audience=500, rate_hz=10))
    search = plan_capacity(plan, Vary.CLIENTS, 100, MACHINE).plan
    assert search.floor == 500
    assert step_plan(search, 1, 800, MACHINE).audience == 500
    all_clients = plan_of(Request(clients=500, audience="all", rate_hz=10))
    assert plan_capacity(all_clients, Vary.CLIENTS, 100, MACHINE).plan.floor == all_clients.servers


@pytest.mark.parametrize("duration_s", [0.0, 3.0, None])
def test_a_given_duration_stays(duration_s: float | None) -> None:
    """Only a missing duration becomes 10 s. A duration of 0 stays and is refused later."""
    assert as_step_request(Request(duration_s=duration_s)).duration_s == (10.0 if duration_s is None else duration_s)


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (replace(MACHINE, memory_available_bytes=10**9), "memory"),
        (replace(MACHINE, nofile_hard=3_000), "descriptors"),
        (replace(MACHINE, ephemeral_ports=3_000), "ports"),
    ],
)
def test_a_first_step_that_does_not_fit_is_told(limits: MachineLimits, word: str) -> None:
    """The message names the exceeded limit. With --force no larger step is tried. The CPU is no shortfall, because the
    search looks for its limit."""
    plan = plan_of(Request(clients=10_000, audience=20, rate_hz=100_000))
    planned = plan_capacity(plan, Vary.CLIENTS, 100, limits)
    assert [short.split(":")[0] for short in planned.shortfalls] == [word]
    assert planned.plan.ceiling == planned.plan.start
    assert plan_capacity(plan, Vary.RATE, 100, MACHINE).shortfalls == ()


def test_each_step_says_what_it_is_itself() -> None:
    """The varied number is not a reduction, and the requested audience is the step's own. The command repeats the
    search from this step."""
    plan = plan_of(Request(pilot=False, clients=1_000))
    assert [cut.what for cut in plan.reductions] == ["audience"]
    search = plan_capacity(plan, Vary.AUDIENCE, 100, MACHINE).plan
    step = step_plan(search, 2, 50, MACHINE)
    assert step.reductions == ()
    assert step.asked_audience == 50
    assert step.command[:2] == ("capacity", "scenario-a")
    assert step.command[step.command.index("--audience") + 1] == "50"
    kept = plan_capacity(plan, Vary.RATE, 100, MACHINE).plan
    assert step_plan(kept, 1, 10, MACHINE).reductions == plan.reductions


@pytest.mark.parametrize(
    ("request_", "vary", "limit_ms", "is_sweep", "word"),
    [
        (Request(), Vary.RATE, 0.0, False, "--limit-ms"),
        (Request(), Vary.RATE, float("nan"), False, "--limit-ms"),
        (Request(fault=FaultKind.STOP), Vary.RATE, 100.0, False, "injects no faults"),
        (Request(audience="all"), Vary.AUDIENCE, 100.0, False, "--audience all"),
        (Request(rate_hz=0.5), Vary.RATE, 100.0, False, "--rate 0.5"),
        (Request(), Vary.RATE, 100.0, True, "--servers N"),
    ],
)
def test_impossible_searches_are_refused(
    request_: Request, vary: Vary, limit_ms: float, is_sweep: bool, word: str
) -> None:
    """The refusal names the option, before anything starts."""
    found = capacity_objections(request_, vary, limit_ms, is_sweep=is_sweep)
    assert len(found) == 1
    assert word in found[0]


def test_the_longest_step_must_fit() -> None:
    """The repetition of an undecided step posts three times as many messages and writes three times as much data."""
    search = plan_capacity(plan_of(as_step_request(Request())), Vary.RATE, 100, MACHINE).plan
    needed = step_plan(search, 1, search.start, MACHINE, repeats_undecided=True).need.disk_bytes
    for free, fits in ((needed, True), (needed - 1, False)):
        limits = replace(MACHINE, disk_free_bytes=free)
        assert (plan_capacity(search.plan, Vary.RATE, 100, limits).shortfalls == ()) is fits
    long = plan_of(Request(duration_s=600.0, clients=100, audience=1, rate_hz=10))
    wide = replace(MACHINE, disk_free_bytes=10**15, memory_available_bytes=10**15)
    assert plan_capacity(long, Vary.RATE, 100, wide).plan.ceiling == floor(MAX_MESSAGES / (1_800 + long.warm_up_s))
