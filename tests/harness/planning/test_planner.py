import dataclasses
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.catalog import find
from harness.model.backplane import BACKPLANES, Backplane
from harness.model.component import COMPONENT_KINDS
from harness.model.errors import UsageError
from harness.model.machine_limits import MachineLimits
from harness.model.scenario import Size
from harness.observation.calibration import REFERENCE_COST
from harness.planning.planner import Planned, plan_run
from harness.planning.request import Request
from harness.planning.sizing import Sized, cores_needed
from tests.harness.plans import CALIBRATION

MACHINE = MachineLimits(
    cores=2,
    memory_available_bytes=23 * 10**9,
    nofile_hard=20_000,
    ephemeral_ports=28_000,
    somaxconn=4_096,
    disk_free_bytes=50 * 10**9,
)

URLS = ("http://10.0.0.5:8000", "http://10.0.0.6:8000")


def planned(request: Request, limits: MachineLimits = MACHINE) -> Planned:
    return plan_run(
        request,
        find("scenario-a"),
        limits=limits,
        calibration=CALIBRATION,
        run_id="rtest",
        command=("run", "scenario-a"),
    )


def test_fit_lowers_the_audience_first() -> None:
    """If a smaller audience is enough, then servers, clients, rate and duration keep the scenario's own numbers."""
    plan = planned(Request()).plan
    assert (plan.servers, plan.clients, plan.rate_hz, plan.duration_s) == (4, 10_000, 1_000, 60)
    assert plan.audience >= 20
    assert [reduction.what for reduction in plan.reductions] == ["audience"]
    assert "10,000 clients per channel" in plan.reductions[0].wanted
    assert "cores" in plan.reductions[0].because


def test_fit_with_everyone_in_one_channel_lowers_clients() -> None:
    """`--audience all` is kept, so the audience follows the clients. The rate stays while fewer clients are enough."""
    plan = planned(Request(audience="all")).plan
    assert plan.audience == plan.clients < 10_000
    assert plan.channels == 1
    assert plan.rate_hz == 1_000


def test_fit_lowers_the_rate_when_clients_are_at_their_floor() -> None:
    """The machine is too small for 100 clients at the full rate. Sizing lowers the clients first and then the rate, and
    reports both."""
    tiny = dataclasses.replace(MACHINE, cores=1)
    slow = dataclasses.replace(CALIBRATION, per_post_s=3e-3)
    made = plan_run(Request(audience="all"), find("scenario-a"), limits=tiny, calibration=slow, run_id="r", command=())
    assert [reduction.what for reduction in made.plan.reductions] == ["clients", "rate"]
    assert made.plan.rate_hz < 1_000
    assert not made.shortfalls


def test_a_given_number_is_never_changed() -> None:
    """If the given numbers do not fit, the plan keeps them and names its shortfalls."""
    made = planned(Request(clients=10_000, rate_hz=1_000, audience="all"))
    assert (made.plan.clients, made.plan.rate_hz, made.plan.audience) == (10_000, 1_000, 10_000)
    assert made.plan.reductions == ()
    assert made.shortfalls
    assert "cores" in made.shortfalls[0]


def test_full_size_keeps_the_scenarios_numbers_and_tells_what_is_short() -> None:
    """`--size full` reduces nothing."""
    made = planned(Request(size=Size.FULL))
    assert made.plan.deliveries_per_s == 10_000_000
    assert made.shortfalls


def test_smoke_fits_a_small_machine() -> None:
    """The first try must work on one core with 2 GB."""
    small = dataclasses.replace(MACHINE, cores=1, memory_available_bytes=2 * 10**9, nofile_hard=2_048)
    assert planned(Request(size=Size.SMOKE), small).shortfalls == ()


@pytest.mark.parametrize(
    ("limit", "word"),
    [
        ({"memory_available_bytes": 10**9}, "memory"),
        ({"nofile_hard": 1_024}, "descriptors"),
        ({"ephemeral_ports": 1_000}, "ports"),
        ({"disk_free_bytes": 10**7}, "disk"),
    ],
)
def test_each_limit_of_the_machine_is_looked_at(limit: dict[str, int], word: str) -> None:
    """A plan that breaks a limit names this limit."""
    made = planned(Request(clients=10_000, rate_hz=100, audience=20), dataclasses.replace(MACHINE, **limit))
    assert any(word in shortfall for shortfall in made.shortfalls)


@given(
    cores=st.integers(1, 64),
    memory_gb=st.integers(1, 256),
    nofile=st.integers(1_024, 1_000_000),
    audience=st.one_of(st.none(), st.just("all"), st.integers(1, 100)),
)
@settings(max_examples=60, deadline=None)
def test_fit_never_raises_a_number_and_either_fits_or_says_why(
    cores: int, memory_gb: int, nofile: int, audience: int | str | None
) -> None:
    """Sizing only lowers numbers, and only those that were not given. The result fits, unless every free number is at
    its floor."""
    limits = dataclasses.replace(MACHINE, cores=cores, memory_available_bytes=memory_gb * 10**9, nofile_hard=nofile)
    made = planned(Request(audience=audience), limits)  # type: ignore[arg-type]  # hypothesis draws the union
    plan = made.plan
    assert plan.clients <= 10_000
    assert plan.rate_hz <= 1_000
    assert plan.audience <= plan.clients
    if isinstance(audience, int):
        assert plan.audience == min(audience, plan.clients)
    if made.shortfalls:
        assert plan.rate_hz == 10 or "rate" not in {reduction.what for reduction in plan.reductions}


def test_all_objections_come_at_once() -> None:
    """A person with several wrong options reads all sentences in one message."""
    with pytest.raises(UsageError) as raised:
        planned(Request(servers=0, clients=3, environment="swarm", backplane="memory", rate_hz=float("nan")))
    text = "\n".join(raised.value.objections)
    for word in (
        "--servers 0",
        "--rate nan",
        "'swarm': expected one of embedded, docker, external",
        "--backplane memory",
        "--clients 3",
    ):
        assert word in text


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Request(audience=50, clients=20), "at most all of them"),
        (Request(clients=2), "at least one client on each server"),
        (Request(environment="external"), "--server http"),
        (
            Request(environment="external", server_urls=URLS, servers=3),
            "expected the same number",
        ),
        (Request(server_urls=URLS), "goes with --environment external"),
        (Request(write_path="log-first"), "expected one of db-first"),
        (Request(write_path="broker-first", backplane="memory", servers=1), "its numbers come from the broker"),
        (Request(duration_s=86_400, rate_hz=100_000), "at most"),
        (Request(audience=0), "--audience 0"),
    ],
)
def test_impossible_requests_are_refused_with_their_reason(request_: Request, word: str) -> None:
    """Each combination that cannot work is refused before anything starts. The message says what was expected."""
    with pytest.raises(UsageError, match=word):
        planned(request_)


@pytest.mark.parametrize(
    ("servers", "clients", "rate_hz", "audience", "busy_cores"),
    [
        (2, 20_000, 37.5, 20, 0.25),
        (4, 40_000, 75.0, 20, 0.45),
        (8, 80_000, 150.0, 20, 0.90),
        (2, 20_000, 300.0, 20, 0.63),
        (4, 40_000, 300.0, 20, 1.09),
        (8, 80_000, 300.0, 20, 1.34),
        (16, 160_000, 300.0, 20, 1.89),
        (4, 10_000, 1_000.0, 20, 1.39),
        (4, 10_000, 1_000.0, 10, 1.13),
    ],
)
def test_the_prediction_is_what_runs_took(
    servers: int, clients: int, rate_hz: float, audience: int, busy_cores: float
) -> None:
    """The busy cores of the whole machine, as telemetry recorded them on the reference machine."""
    load = Sized(servers=servers, clients=clients, rate_hz=rate_hz, audience=audience, seconds=60)
    assert cores_needed(load, REFERENCE_COST) == pytest.approx(busy_cores, rel=0.15)


def test_a_broker_that_an_environment_cannot_start_is_refused() -> None:
    """The message names the broker and the environments that can start it. An external cluster already has its
    broker."""
    kind = replace(COMPONENT_KINDS.get("redis"), name="pigeon", title="Pigeon", starters={"docker": "nowhere:start"})
    with COMPONENT_KINDS.added(kind), BACKPLANES.added(Backplane(name="post", title="post", broker="pigeon")):
        with pytest.raises(UsageError, match="--environment embedded cannot start Pigeon; expected one of docker"):
            planned(Request(backplane="post"))
        assert planned(Request(backplane="post", environment="docker")).plan.backplane == "post"
        assert planned(Request(backplane="post", environment="external", server_urls=URLS)).plan.backplane == "post"
