"""The faults of a run, which are settled before the start."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import find
from harness.model.errors import UsageError
from harness.model.fault import LINK_TARGETS, Fault, FaultKind, Moment, Target, Unit
from harness.model.scenario import Size
from harness.planning.arrivals import MEASURED, schedule
from harness.planning.fault_schedule import HALF, POSTED, THREE_QUARTERS, drawn, offset_ns, relayed_links, settle
from harness.planning.objections import objections
from harness.planning.planner import plan_run
from harness.planning.request import Request
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION, a_plan

SCENARIO_A, SCENARIO_B = find("scenario-a"), find("scenario-b")

URLS = ("http://10.0.0.5:8000", "http://10.0.0.6:8000")


def settled(**options: object) -> tuple[Fault, ...]:
    return settle(Request(**options), SCENARIO_B, servers=4, clients=1_000)  # type: ignore[arg-type]  # a test's shorthand


def test_scenario_b_stops_redis_until_everything_is_posted() -> None:
    """Without options the scenario's own fault applies."""
    (fault,) = settled()
    assert (fault.kind, fault.target, fault.parts) == (FaultKind.STOP, Target.BROKER, ("broker",))
    assert (fault.at, fault.until) == (HALF, POSTED)


def test_options_change_the_fault() -> None:
    """--fault, --target and --outage work alone and together. Without --outage the fault ends early enough to show what
    follows the outage."""
    assert settled(fault=FaultKind.KILL)[0].kind is FaultKind.KILL
    assert settled(target=Target.DATABASE)[0].until == THREE_QUARTERS
    (fault,) = settled(fault=FaultKind.PAUSE, target=Target.SERVERS, outage_s=3.0)
    assert fault.parts == ("server-1", "server-2", "server-3", "server-4")
    assert fault.until == Moment(unit=Unit.AFTER, value=3.0)


def test_any_scenario_can_be_broken() -> None:
    """With --fault a scenario without faults gets one. Without the option it has none."""
    assert settle(Request(), SCENARIO_A, servers=4, clients=100) == ()
    (fault,) = settle(Request(fault=FaultKind.KILL), SCENARIO_A, servers=4, clients=100)
    assert (fault.kind, fault.target) == (FaultKind.KILL, Target.BROKER)


def test_a_run_with_slow_clients_lasts_longer() -> None:
    """A run with slow clients lasts 30 s by default. A given duration, another target and a smoke run keep their
    duration."""
    for options, duration_s in (
        ({"target": Target.CLIENTS}, 30.0),
        ({"target": Target.CLIENTS, "duration_s": 12.0}, 12.0),
        ({"target": Target.CLIENTS, "size": Size.SMOKE}, SCENARIO_B.smoke.duration_s),
        ({"target": Target.SERVER}, SCENARIO_B.load.duration_s),
    ):
        fault = FaultKind.PAUSE if options["target"] is Target.CLIENTS else FaultKind.STOP
        request = Request(fault=fault, **options)  # type: ignore[arg-type]  # a test's shorthand
        planned = plan_run(request, SCENARIO_B, limits=MACHINE, calibration=CALIBRATION, run_id="rtest", command=())
        assert planned.plan.duration_s == duration_s


@given(st.integers(0, 1_000), st.integers(1, 16), st.integers(100, 2_000))
def test_parts_are_drawn_from_the_seed(seed: int, servers: int, clients: int) -> None:
    """The same seed gives the same server and the same clients. All of them exist. One client in a hundred is drawn."""
    for target, options in ((Target.SERVER, {}), (Target.CLIENTS, {"fault": FaultKind.PAUSE})):
        request = Request(seed=seed, target=target, **options)  # type: ignore[arg-type]  # a test's shorthand
        first, second = (settle(request, SCENARIO_B, servers=servers, clients=clients) for _ in range(2))
        assert first == second
        numbers = [int(part.rpartition("-")[2]) for part in first[0].parts]
        limit = range(1, servers + 1) if target is Target.SERVER else range(clients)
        assert set(numbers) <= set(limit)
        assert len(set(numbers)) == len(numbers) == (1 if target is Target.SERVER else round(clients * 0.01))


def test_a_link_is_broken_as_long_as_a_broker() -> None:
    """Posts go on during the fault, so it is healed when all messages are posted. The target is one link or all links,
    between two servers or to the database."""
    (one,) = settled(target=Target.LINK, fault=FaultKind.KILL, backplane="mesh")
    assert (one.until, one.parts[0].count("server-")) == (POSTED, 2)
    (every,) = settled(target=Target.LINKS, fault=FaultKind.PAUSE, backplane="postgres-notify")
    assert every.parts == tuple(f"server-{number}_database" for number in range(1, 5))


def test_only_what_a_relay_breaks_needs_one() -> None:
    """If the database ends the session, the link needs no relay. One link with two faults needs one relay."""

    def relayed(backplane: str, *faults: Fault) -> tuple[str, ...]:
        parts = drawn(faults, seed=1, servers=2, clients=10, backplane=backplane)
        return relayed_links(parts, backplane)

    kill, pause = (
        Fault(kind=kind, target=Target.LINK, at=HALF, until=POSTED) for kind in (FaultKind.KILL, FaultKind.PAUSE)
    )
    assert relayed("postgres-notify", kill) == ()
    assert len(relayed("postgres-notify", pause)) == 1
    assert relayed("mesh", kill, pause) == ("server-2_server-1",)
    assert relayed("redis", Fault(kind=FaultKind.PAUSE, target=Target.BROKER, at=HALF, until=POSTED)) == ()


@given(st.integers(0, 1_000), st.integers(100, 2_000), st.integers(100, 2_000))
def test_the_link_does_not_depend_on_the_clients(seed: int, first: int, second: int) -> None:
    """The pilot settles the number of clients after the link's relay was started."""
    faults = [
        Fault(kind=FaultKind.PAUSE, target=target, at=HALF, until=POSTED) for target in (Target.CLIENTS, Target.LINK)
    ]
    one, other = (drawn(faults, seed=seed, servers=4, clients=clients, backplane="mesh") for clients in (first, second))
    assert one[1].parts == other[1].parts


def test_moments_are_the_schedules() -> None:
    """Half of the messages, message 7, a second, and a time after the fault began: each is an offset of the schedule.
    The end of posting is not."""
    plan = a_plan(rate_hz=100.0, duration_s=10.0, warm_up_s=2.0)
    made = schedule(plan)
    due = made.offset_ns[made.phase == MEASURED]
    assert offset_ns(plan, HALF) == due[500]
    assert offset_ns(plan, Moment(unit=Unit.MESSAGE, value=7)) == due[6]
    assert offset_ns(plan, Moment(unit=Unit.SECOND, value=1.5)) == 3_500_000_000
    assert offset_ns(plan, Moment(unit=Unit.AFTER, value=2), 5) == 2_000_000_005
    assert offset_ns(plan, POSTED) is None


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(fault=FaultKind.PARTITION), "--fault partition of broker: --environment embedded cannot"),
        (
            Request(environment="external", server_urls=("http://10.0.0.5:8000",) * 2),
            "--fault stop of broker: --environment external cannot",
        ),
        (Request(target=Target.CLIENTS), "clients can only stop reading"),
        (Request(fault=FaultKind.RESTART, outage_s=3), "--outage with --fault restart"),
        (Request(recovery="never"), "--recovery 'never'"),
        (Request(outage_s=-1), "--outage -1"),
        (Request(backplane="memory", servers=1), "there is no broker to break"),
        (
            Request(fault=FaultKind.KILL, target=Target.LINK),
            "--target link with --backplane redis: it has no link that can be broken by itself; "
            "expected --backplane postgres-notify or mesh",
        ),
        (
            Request(target=Target.LINKS, backplane="postgres-notify"),
            "--fault stop of links with --backplane postgres-notify: a listening connection cannot be broken so; "
            "expected --fault kill or pause or restart",
        ),
        (
            Request(target=Target.LINK, backplane="mesh", environment="docker"),
            "--fault stop of link with --backplane mesh: --environment docker cannot, because it puts no relay into a "
            "link; expected --environment embedded",
        ),
        (
            Request(fault=FaultKind.PAUSE, target=Target.LINK, backplane="postgres-notify", environment="docker"),
            "expected --environment embedded, or --fault kill or restart",
        ),
        (
            Request(fault=FaultKind.KILL, target=Target.LINK, backplane="mesh", servers=1),
            "--target link with 1 server: there is no link; expected --servers 2 or more",
        ),
        (
            Request(
                fault=FaultKind.KILL,
                target=Target.LINK,
                backplane="mesh",
                environment="external",
                server_urls=("http://10.0.0.5:8000", "http://10.0.0.6:8000"),
            ),
            "--fault kill of link: --environment external cannot",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_start(request_: Request, words: str) -> None:
    """The environment cannot inject the fault, or the options contradict each other."""
    found = objections(request_, SCENARIO_B)
    assert any(words in objection for objection in found), found
    if request_.target in LINK_TARGETS:
        assert len(found) == 1


@pytest.mark.parametrize(
    ("kind", "backplane", "environment"),
    [
        *((kind, "mesh", "embedded") for kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART)),
        *((kind, "postgres-notify", "embedded") for kind in (FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART)),
        (FaultKind.KILL, "postgres-notify", "docker"),
    ],
)
def test_what_can_be_done_to_a_link_is_planned(kind: FaultKind, backplane: str, environment: str) -> None:
    """This holds for every scenario. The database can end a session in each environment that the harness owns."""
    for scenario in (SCENARIO_A, SCENARIO_B):
        request = Request(fault=kind, target=Target.LINK, backplane=backplane, environment=environment)
        assert objections(request, scenario) == ()


def test_an_outage_of_nothing_is_refused() -> None:
    """--outage is given alone, and the scenario has no fault."""
    with pytest.raises(UsageError, match="scenario-a injects no fault"):
        plan_run(Request(outage_s=3), SCENARIO_A, limits=MACHINE, calibration=CALIBRATION, run_id="rtest", command=())


def test_the_plan_keeps_the_faults() -> None:
    """Everything that decides a run is in its plan."""
    made = plan_run(
        Request(target=Target.SERVER, recovery="manual", seed=3),
        SCENARIO_B,
        limits=MACHINE,
        calibration=CALIBRATION,
        run_id="rtest",
        command=(),
    ).plan
    assert made.recovery == "manual"
    assert made.faults[0].parts[0] in ("server-1", "server-2")
    assert dataclasses.asdict(made)["faults"][0]["kind"] == "stop"
