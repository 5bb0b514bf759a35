import dataclasses
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import find
from harness.model.errors import UsageError
from harness.model.machine_limits import MachineLimits
from harness.model.pilot import Pilot
from harness.model.scenario import Size
from harness.model.sweep_plan import Curve
from harness.planning.request import Request
from harness.planning.sweep_planner import PlannedSweep, is_sweep, plan_count, plan_sweep, sweep_objections
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION


def planned(request: Request, limits: MachineLimits = MACHINE, scenario: str = "scenario-c") -> PlannedSweep:
    return plan_sweep(request, find(scenario), limits=limits, calibration=CALIBRATION, run_id=lambda: "rtest")


@given(
    cores=st.integers(1, 128),
    memory_gb=st.integers(2, 256),
    nofile=st.integers(2_000, 100_000),
    counts=st.lists(st.integers(1, 32), min_size=1, max_size=5),
    repeat=st.integers(1, 3),
    seed=st.integers(0, 1_000),
    size=st.sampled_from(Size),
)
@settings(max_examples=60, deadline=None)
def test_every_point_is_run_as_often_as_asked_with_the_same_clients_and_audience(
    cores: int, memory_gb: int, nofile: int, counts: list[int], repeat: int, seed: int, size: Size
) -> None:
    """Each repetition has both curves at every number of servers, and nothing else. Audience and clients per server are
    the same in all runs."""
    limits = dataclasses.replace(MACHINE, cores=cores, memory_available_bytes=memory_gb * 10**9, nofile_hard=nofile)
    sweep = planned(Request(server_counts=tuple(counts), repeat=repeat, seed=seed, size=size), limits).plan
    points = {(curve, servers) for curve in Curve for servers in counts}
    for repetition in range(1, repeat + 1):
        block = sweep.members[(repetition - 1) * len(points) : repetition * len(points)]
        assert {(member.curve, member.servers) for member in block} == points
        assert {member.repetition for member in block} == {repetition}
    plans = [member.plan for member in sweep.members]
    assert {plan.audience for plan in plans} == {sweep.widest.audience}
    assert {plan.clients / plan.servers for plan in plans} == {sweep.clients_per_server}
    assert len({member.name for member in sweep.members}) == len(sweep.members)
    for member in sweep.members:
        rate = sweep.widest.rate_hz
        if member.curve is Curve.WEAK:
            rate = member.servers * sweep.weak_rate_per_server_hz
        assert member.plan.rate_hz == pytest.approx(rate)


@given(cores=st.integers(2, 64), memory_gb=st.integers(4, 128), most=st.sampled_from((4, 8, 16)))
@settings(max_examples=40, deadline=None)
def test_what_sizing_chose_fits_at_every_count(cores: int, memory_gb: int, most: int) -> None:
    """The numbers fit the run that needs most, so they fit every other run."""
    limits = dataclasses.replace(MACHINE, cores=cores, memory_available_bytes=memory_gb * 10**9)
    assert planned(Request(server_counts=(2, most)), limits).shortfalls == ()


def test_the_order_is_drawn_from_the_seed() -> None:
    """The same seed gives the same order, and another seed gives another order. In a rising order a drift of the
    machine would look like an effect of the servers."""
    orders = [tuple(member.name for member in planned(Request(seed=seed)).plan.members) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_clients_per_server_are_kept_and_the_load_is_lowered_for_want_of_cores() -> None:
    """The scenario asks for 160,000 clients. Sizing lowers audience and rates to make room for them, and reports each
    reduction."""
    sweep = planned(Request()).plan
    assert (sweep.server_counts, sweep.clients_per_server, sweep.widest.clients) == ((2, 4, 8, 16), 10_000, 160_000)
    assert [reduction.what for reduction in sweep.widest.reductions] == ["audience", "rate", "rate of the weak curve"]
    assert sweep.widest.reductions[-1].wanted == "250 messages/s per server", "the scenario's, not what is left of it"
    assert sweep.widest.workers == 11
    assert all(member.plan.query_log for member in sweep.members)


def test_a_weak_rate_that_only_follows_is_told_too() -> None:
    """With few servers the weak curve needs less than the constant one. A lower rate of the constant curve also lowers
    that of the weak curve."""
    sweep = planned(Request(server_counts=(1, 2)), dataclasses.replace(MACHINE, cores=1)).plan
    last = sweep.widest.reductions[-1]
    assert (last.what, last.wanted) == ("rate of the weak curve", "250 messages/s per server")
    assert last.planned == f"{sweep.widest.rate_hz / 4:,g} messages/s per server"
    assert last.because == "it keeps its share of the rate"


def test_clients_are_lowered_where_memory_is_short() -> None:
    """Clients use memory, descriptors and ports."""
    sweep = planned(Request(), dataclasses.replace(MACHINE, memory_available_bytes=8 * 10**9)).plan
    assert sweep.clients_per_server < 10_000
    assert sweep.widest.reductions[0].what == "clients"


def test_numbers_given_are_never_changed() -> None:
    """--rate and --audience stay as given. --clients is the number of clients in the largest run."""
    made = planned(Request(server_counts=(2, 4), rate_hz=1_000, audience=20, clients=4_000))
    assert (made.plan.widest.rate_hz, made.plan.widest.audience, made.plan.clients_per_server) == (1_000, 20, 1_000)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(server_counts=(2, 4), clients=4_001), "expected a multiple of 4"),
        (Request(server_counts=(2, 4), clients=400, audience=201), "with 200 clients in the smallest run"),
    ],
)
def test_a_number_that_a_sweep_cannot_keep_is_refused(request_: Request, words: str) -> None:
    """The planner never changes a number that an option gives, so it refuses the request."""
    assert any(words in sentence for sentence in sweep_objections(request_, find("scenario-c")))


def test_the_audience_is_at_most_the_clients_of_the_smallest_run() -> None:
    """`all` would be a different audience at every number of servers. So it means all clients of the smallest run."""
    sweep = planned(Request(server_counts=(2, 4), clients=40, audience="all", rate_hz=10)).plan
    assert {member.plan.audience for member in sweep.members} == {20}


def test_the_predicted_time_is_that_of_all_runs() -> None:
    """Every run takes longer than its warm-up and its window. The sum is known before the start."""
    sweep = planned(Request(repeat=2)).plan
    assert sweep.predicted_s == pytest.approx(sum(member.predicted_s for member in sweep.members))
    assert all(member.predicted_s > member.plan.duration_s + member.plan.warm_up_s for member in sweep.members)
    assert Counter(member.repetition for member in sweep.members) == {1: 8, 2: 8}


def test_a_single_count_is_a_single_run() -> None:
    """--servers 4 means one run, with the sweep's clients per server."""
    scenario = find("scenario-c")
    assert not is_sweep(Request(servers=4), scenario)
    made = plan_count(Request(servers=4), scenario, limits=MACHINE, calibration=CALIBRATION, run_id="r")
    assert (made.plan.servers, made.plan.clients) == (4, 40_000)
    assert not made.shortfalls


@pytest.mark.parametrize(
    ("scenario", "request_", "word"),
    [
        ("scenario-a", Request(server_counts=(2, 4)), "not a sweep"),
        ("scenario-a", Request(repeat=2), "expected a sweep"),
        ("scenario-c", Request(servers=2, repeat=2), "expected a sweep"),
        ("scenario-c", Request(server_counts=(0, 2)), "--servers 0"),
        ("scenario-c", Request(repeat=0), "--repeat 0"),
        ("scenario-c", Request(server_counts=(2, 4), backplane="memory"), "--servers 1"),
        ("scenario-c", Request(server_counts=(2, 4), environment="external"), "several sizes"),
    ],
)
def test_impossible_sweeps_are_refused_with_their_reason(scenario: str, request_: Request, word: str) -> None:
    """The refusal comes before anything starts."""
    assert any(word in objection for objection in sweep_objections(request_, find(scenario)))
    if request_.server_counts and scenario == "scenario-c":
        with pytest.raises(UsageError, match=word):
            planned(request_)


def test_a_sweep_keeps_a_given_audience_at_every_count() -> None:
    """Clients per server stay high enough for the audience in the smallest run."""
    scarce = dataclasses.replace(MACHINE, memory_available_bytes=2 * 10**9)
    made = planned(Request(server_counts=(2, 4), audience=15_000), scarce)
    assert {member.plan.audience for member in made.plan.members} == {15_000}
    assert made.shortfalls


def test_a_single_count_has_pilots() -> None:
    """Like every run whose size is chosen, it has pilots. The scenario's own size is the largest."""
    scenario = find("scenario-c")

    def pilot(request: Request) -> Pilot | None:
        made = plan_count(request, scenario, limits=MACHINE, calibration=CALIBRATION, run_id="r")
        return made.plan.pilot

    found = pilot(Request(servers=4))
    assert found is not None
    assert found.free == ("audience", "clients", "rate")
    assert found.asked.clients == 40_000
    assert not found.everyone
    given = pilot(Request(servers=4, audience=50, rate_hz=100))
    assert given is not None
    assert given.free == ("clients",)
    assert pilot(Request(servers=4, pilot=False)) is None
    assert pilot(Request(servers=4, size=Size.SMOKE)) is None
