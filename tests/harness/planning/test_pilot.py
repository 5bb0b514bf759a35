"""The size that follows from the pilots. On the made-up machine a load costs a multiple of its prediction."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import find
from harness.model.fault import FaultKind, Target
from harness.model.pilot import LoadNumbers, Pilot, PilotStep, Readings
from harness.model.plan import Plan
from harness.model.scenario import Size
from harness.planning.pilot import STEPS_MAX, after_step, decide, pilot_plan, with_size
from harness.planning.pilot_readings import ROOM_SHARE, shortages
from harness.planning.planner import plan_run
from harness.planning.request import Request
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION


def plan_of(request: Request, scenario: str = "scenario-a") -> Plan:
    made = plan_run(
        request,
        find(scenario),
        limits=MACHINE,
        calibration=CALIBRATION,
        run_id="rtest",
        command=("run", scenario),
    )
    return made.plan


def numbers(plan: Plan) -> LoadNumbers:
    return LoadNumbers(clients=plan.clients, rate_hz=plan.rate_hz, audience=plan.audience)


def piloted(plan: Plan, *, true_cost: float, others: float = 0.0) -> Plan:
    """The plan after all pilots. On this machine every load takes ``true_cost`` times its predicted cores, and other
    programs take ``others`` cores. A full machine cannot show more than its cores."""
    while True:
        assert plan.pilot is not None
        used = min(plan.need.cores * true_cost, MACHINE.cores - others)
        found = Readings(
            cores=MACHINE.cores,
            busy_cores=used + others,
            used_cores=used,
            lag_p99_ms=40.0 if used + others >= 0.99 * MACHINE.cores else 1.0,
            send_late_p99_ms=0.3,
        )
        step = PilotStep(
            load=numbers(plan), predicted_cores=plan.need.cores, readings=found, shortages=shortages(found)
        )
        plan = after_step(plan, step)
        decision = decide(plan, MACHINE)
        plan = with_size(plan, decision, MACHINE)
        if decision.settled:
            return plan


@given(true_cost=st.floats(0.1, 4.0), others=st.floats(0.0, 0.6), everyone=st.booleans())
def test_pilots_end_at_a_size_with_room(true_cost: float, others: float, everyone: bool) -> None:
    """However wrong the prediction is, at most six pilots find a size with room. The size never exceeds the scenario's
    own."""
    start = plan_of(Request(audience="all" if everyone else None))
    plan = piloted(start, true_cost=true_cost, others=others)
    assert plan.pilot is not None
    assert len(plan.pilot.steps) <= STEPS_MAX
    assert plan.need.cores * true_cost + others <= ROOM_SHARE * MACHINE.cores + 0.01
    assert plan.clients <= 10_000
    assert plan.rate_hz <= 1_000
    assert plan.audience <= plan.clients
    assert plan.servers == start.servers


def test_a_prediction_that_is_right_costs_one_pilot() -> None:
    """The size from sizing stays, with its reasons."""
    start = plan_of(Request())
    plan = piloted(start, true_cost=1.0)
    assert plan.pilot is not None
    assert len(plan.pilot.steps) == 1
    assert numbers(plan) == numbers(start)
    assert plan.reductions == start.reductions
    assert plan.pilot.settled == "there was room"


def test_a_machine_that_needs_more_than_predicted_gets_a_smaller_load() -> None:
    """Every load costs 1.3 times its prediction. The final size has room, and the reason says what the first pilot
    lacked."""
    start = plan_of(Request())
    plan = piloted(start, true_cost=1.3)
    assert plan.rate_hz * plan.audience < start.rate_hz * start.audience
    because = " ".join(cut.because for cut in plan.reductions)
    assert "pilot 1 with 10,000 clients" in because
    assert "of 2 cores were busy" in because


def test_a_prediction_that_is_far_too_high_is_raised() -> None:
    """A load costs a quarter of its prediction. The plan gets a larger load, which still leaves room."""
    start = plan_of(Request())
    plan = piloted(start, true_cost=0.25)
    assert plan.rate_hz * plan.audience > 2 * start.rate_hz * start.audience
    assert plan.need.cores * 0.25 <= ROOM_SHARE * MACHINE.cores


def test_other_programs_take_room() -> None:
    """While another process takes half a core, the load is smaller than without it."""
    alone, beside = (piloted(plan_of(Request()), true_cost=1.0, others=others) for others in (0.0, 0.5))
    assert beside.need.cores < alone.need.cores


def test_a_machine_that_others_fill_is_not_answered_with_ever_smaller_loads() -> None:
    """This run uses few of the busy cores, so a smaller load would not make room. The reason names other programs."""
    start = plan_of(Request())
    found = Readings(cores=2, busy_cores=1.97, used_cores=0.3, lag_p99_ms=12.0, send_late_p99_ms=6.0)
    step = PilotStep(load=numbers(start), predicted_cores=start.need.cores, readings=found, shortages=shortages(found))
    decision = decide(after_step(start, step), MACHINE)
    assert decision.load == numbers(start)
    assert "other programs" in decision.settled


@pytest.mark.parametrize(
    "request_",
    [
        Request(size=Size.FULL),
        Request(size=Size.SMOKE),
        Request(pilot=False),
        Request(clients=1_000, rate_hz=100, audience=10),
    ],
)
def test_settled_numbers_have_no_pilot(request_: Request) -> None:
    """`full`, `smoke` and `--no-pilot` have no pilot. Neither has a load that is given completely by options."""
    assert plan_of(request_).pilot is None


def test_a_given_number_is_never_changed() -> None:
    """Pilots change only the numbers that no option gave."""
    plan = piloted(plan_of(Request(audience=40, rate_hz=500)), true_cost=3.0)
    assert (plan.audience, plan.rate_hz) == (40, 500)
    plan = piloted(plan_of(Request(clients=2_000)), true_cost=3.0)
    assert plan.clients == 2_000


def test_the_floor_is_the_end() -> None:
    """If no smaller size is allowed, the run keeps this size and says that there was no room."""
    plan = piloted(plan_of(Request(audience=40, rate_hz=500)), true_cost=8.0)
    assert plan.pilot is not None
    assert "no smaller size" in plan.pilot.settled


def test_lag_alone_asks_for_a_smaller_load() -> None:
    """The cores have room, but the event loop lags. A container's CPU quota can cause this."""
    start = plan_of(Request())
    found = Readings(cores=2, busy_cores=0.9, used_cores=0.8, lag_p99_ms=25.0)
    step = PilotStep(load=numbers(start), predicted_cores=start.need.cores, readings=found, shortages=shortages(found))
    decision = decide(after_step(start, step), MACHINE)
    assert not decision.settled
    assert decision.load.rate_hz * decision.load.audience < start.rate_hz * start.audience


def test_a_larger_step_without_room_goes_back() -> None:
    """The larger size had no room. The next size is the largest one that had room, or one between the two."""
    start = plan_of(Request())
    small = replace(start, audience=20, need=replace(start.need, cores=1.0))
    roomy, full = Readings(cores=2, busy_cores=0.5, used_cores=0.5), Readings(cores=2, busy_cores=2.0, used_cores=2.0)
    plan = after_step(
        small, PilotStep(load=numbers(small), predicted_cores=1.4, readings=roomy, shortages=shortages(roomy))
    )
    up = decide(plan, MACHINE)
    assert not up.settled
    larger = with_size(plan, up, MACHINE)
    plan = after_step(
        larger,
        PilotStep(load=up.load, predicted_cores=larger.need.cores, readings=full, shortages=shortages(full)),
    )
    down = decide(plan, MACHINE)
    assert numbers(small).audience <= down.load.audience < up.load.audience


def test_what_follows_from_the_size_follows_it() -> None:
    """The channels, the slow clients of the fault and the command all belong to the new size."""
    start = plan_of(Request(target=Target.CLIENTS, fault=FaultKind.PAUSE, audience="all"))
    plan = piloted(start, true_cost=2.0)
    assert plan.clients < start.clients
    assert plan.channels == 1
    slow = plan.faults[0].parts
    assert len(slow) == round(plan.clients / 100)
    assert all(int(name.removeprefix("client-")) < plan.clients for name in slow)
    assert plan.command[plan.command.index("--clients") + 1] == str(plan.clients)


def test_a_pilot_is_short_and_has_names_of_its_own() -> None:
    """A pilot has no fault, no pilot and no expectation. Its channel names differ from those of the run."""
    start = plan_of(Request(fault=FaultKind.STOP, target=Target.BROKER))
    short = pilot_plan(start, 2)
    assert (short.faults, short.pilot, short.expectations) == ((), None, ())
    assert short.run_id == "rtestp2"
    assert (short.clients, short.rate_hz, short.audience) == (start.clients, start.rate_hz, start.audience)


def test_the_command_of_a_pilot_is_its_own() -> None:
    """The command repeats the short run and has --force, so a prediction cannot refuse it. A run with faults has no
    such command, because no option leaves out its faults."""
    command = pilot_plan(plan_of(Request()), 1).command
    assert command[command.index("--duration") + 1] == "5"
    assert command[-1] == "--force"
    assert pilot_plan(plan_of(Request(fault=FaultKind.STOP, target=Target.BROKER)), 1).command == ()


def test_a_plan_that_is_tried_says_what_may_change() -> None:
    """The plan holds the numbers that the pilots may change, and the scenario's own size."""
    assert plan_of(Request(rate_hz=100)).pilot == Pilot(
        free=("audience", "clients"),
        asked=LoadNumbers(clients=10_000, rate_hz=100.0, audience=10_000),
        everyone=True,
    )
