"""The size that follows from the pilots: the next one to try, or the size of the run. Pure: values in, values out."""

from dataclasses import dataclass, replace

from harness.model.machine_limits import MachineLimits
from harness.model.pilot import LoadNumbers, PilotStep, Readings
from harness.model.plan import Plan, Reduction
from harness.planning.fault_schedule import drawn
from harness.planning.pilot_readings import ROOM_SHARE, shortages
from harness.planning.placement import channel_count
from harness.planning.repeat_command import repeat_command
from harness.planning.sizing import LOWERED, Sized, cores_needed, fit, in_words, need, shortfalls, worker_count

DURATION_S, WARM_UP_S = 5.0, 2.0
STEPS_MAX = 6

AIM_SHARE = 0.7
"""Share of the cores that the next step aims at, so that it is not again close to the limit."""
OTHERS_SHARE = 0.4
"""The largest share of the cores that is left to other programs. If they use more, no load of this run would be small
enough."""
MUCH_ROOM_SHARE = 0.5
"""Below this share of the cores the prediction was far too pessimistic, and a larger load is tried."""

LARGEST_STEP_UP, LARGEST_STEP_DOWN, SMALLEST_STEP_DOWN = 3.0, 0.25, 0.85
"""The largest and the smallest factor by which one step changes the predicted need."""
STEP_DOWN_FOR_LAG = 0.7
"""The factor of a step if the cores had room, but lag or lateness was beyond its limit."""
WORTHWHILE_STEP_UP = 1.15


def after_step(plan: Plan, step: PilotStep) -> Plan:
    """``plan`` with one more step."""
    assert plan.pilot is not None
    return replace(plan, pilot=replace(plan.pilot, steps=(*plan.pilot.steps, step)))


def pilot_plan(plan: Plan, number: int) -> Plan:
    """The short run, ``number`` from 1, that tries the size of ``plan``. Its channels have their own names."""
    short = replace(
        plan,
        run_id=f"{plan.run_id}p{number}",
        duration_s=DURATION_S,
        warm_up_s=WARM_UP_S,
        faults=(),
        expectations=(),
        query_log=False,
        pilot=None,
    )
    # No option leaves out a scenario's own faults, so no command asks for such a pilot alone.
    if not plan.command or plan.faults:
        return replace(short, command=())
    return replace(short, command=repeat_command(plan.command[1], short, insists=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``load`` is the next size to try, or the size of the run if ``settled`` says why."""

    load: LoadNumbers
    settled: str = ""


def decide(plan: Plan, limits: MachineLimits) -> Decision:
    """The decision by the steps of ``plan.pilot``, of which there is at least one. Without room the next step is
    smaller, with much room it is larger. After a step without room no later step is larger.
    """
    assert plan.pilot is not None
    steps = plan.pilot.steps
    last = steps[-1]
    roomy = [step for step in steps if step.has_room]
    if last.has_room:
        return _after_room(plan, last, limits, first_shortage=len(roomy) == len(steps))
    if _only_others_are_busy(last):
        return Decision(load=last.load, settled="other programs keep the machine busy; a smaller load would not help")
    smaller = _resized(plan, last, _factor_down(last.readings), limits)
    if roomy and _predicted(plan, smaller) <= roomy[-1].predicted_cores:
        return Decision(load=roomy[-1].load, settled="the largest size with room")
    if smaller == last.load:
        return Decision(load=last.load, settled="no smaller size is allowed, and this one had no room")
    if len(steps) >= STEPS_MAX:
        return Decision(load=smaller, settled=f"the last of {STEPS_MAX} pilots had no room, so this size is smaller")
    return Decision(load=smaller)


def _after_room(plan: Plan, last: PilotStep, limits: MachineLimits, *, first_shortage: bool) -> Decision:
    assert plan.pilot is not None
    settled = Decision(load=last.load, settled="there was room")
    if not first_shortage or last.load == plan.pilot.asked or len(plan.pilot.steps) >= STEPS_MAX:
        return settled
    if not _has_much_room(last.readings):
        return settled
    larger = _resized(plan, last, min(LARGEST_STEP_UP, _factor(last.readings)), limits)
    if _predicted(plan, larger) < WORTHWHILE_STEP_UP * last.predicted_cores:
        return settled
    return Decision(load=larger)


def _only_others_are_busy(last: PilotStep) -> bool:
    """This run used no more than its own part of the cores, and other programs used more than the part that is left to
    them. So the other programs caused the shortage, of lag and lateness too."""
    found = last.readings
    if found.busy_cores is None or found.used_cores is None or _factor(found) < 1.0:
        return False
    others = found.busy_cores - found.used_cores
    return others > OTHERS_SHARE * found.cores or shortages(replace(found, busy_cores=None)) == ()


def _has_much_room(found: Readings) -> bool:
    busiest = found.busiest_cores or 0.0
    return (
        found.busy_cores is not None and found.busy_cores < MUCH_ROOM_SHARE * found.cores and busiest < MUCH_ROOM_SHARE
    )


def _factor_down(found: Readings) -> float:
    cores_had_room = found.busy_cores is None or found.busy_cores <= ROOM_SHARE * found.cores
    wanted = STEP_DOWN_FOR_LAG if cores_had_room else min(SMALLEST_STEP_DOWN, _factor(found))
    return max(LARGEST_STEP_DOWN, wanted)


def _factor(found: Readings) -> float:
    """How many times as much as before the run may use. Two limits decide: the cores that the aim leaves beside the
    other programs, and the core of the run's busiest process."""
    if found.busy_cores is None or not found.used_cores:
        return STEP_DOWN_FOR_LAG
    others = min(max(0.0, found.busy_cores - found.used_cores), OTHERS_SHARE * found.cores)
    factor = (AIM_SHARE * found.cores - others) / found.used_cores
    return min(factor, AIM_SHARE / found.busiest_cores) if found.busiest_cores else factor


def _resized(plan: Plan, last: PilotStep, factor: float, limits: MachineLimits) -> LoadNumbers:
    """The largest load that the rule of sizing allows within ``factor`` times the predicted need of the last step."""
    assert plan.pilot is not None
    found, _ = fit(
        sized(plan, plan.pilot.asked),
        plan.pilot.free,
        everyone=plan.pilot.everyone,
        cost=plan.calibration,
        limits=limits,
        share=factor * last.predicted_cores / limits.cores,
        clients_min=1 if plan.pilot.everyone or "audience" in plan.pilot.free else plan.pilot.asked.audience,
    )
    return LoadNumbers(clients=found.clients, rate_hz=found.rate_hz, audience=found.audience)


def _predicted(plan: Plan, load: LoadNumbers) -> float:
    return cores_needed(sized(plan, load), plan.calibration)


def with_size(plan: Plan, decision: Decision, limits: MachineLimits) -> Plan:
    """``plan`` with the size that was decided, and everything that follows from it."""
    pilot, load = plan.pilot, decision.load
    assert pilot is not None
    channels = channel_count(load.clients, load.audience)
    changed = replace(
        plan,
        clients=load.clients,
        rate_hz=load.rate_hz,
        audience=load.audience,
        channels=channels,
        workers=worker_count(load.clients, limits),
        need=need(sized(plan, load), plan.calibration, limits),
        faults=drawn(plan.faults, seed=plan.seed, servers=plan.servers, clients=load.clients, backplane=plan.backplane),
        reductions=_reductions(plan, load),
        pilot=replace(pilot, settled=decision.settled),
    )
    if not plan.command:
        return changed
    # Pilots showed that the machine can carry this load, so a prediction must not refuse the repetition.
    insists = bool(shortfalls(changed.need, limits, 1.0))
    return replace(changed, command=repeat_command(plan.command[1], changed, insists=insists))


def _reductions(plan: Plan, load: LoadNumbers) -> tuple[Reduction, ...]:
    """The numbers that are lower than requested. If the pilots kept a number that sizing had chosen, it keeps its
    reason."""
    assert plan.pilot is not None
    before = {cut.what: cut for cut in plan.reductions}
    asked, planned = sized(plan, plan.pilot.asked), sized(plan, load)
    found = []
    for what in LOWERED:
        wanted_words, planned_words = in_words(asked, what), in_words(planned, what)
        if wanted_words == planned_words:
            continue
        known = before.get(what)
        because = known.because if known and known.planned == planned_words else _because(plan)
        found.append(Reduction(what=what, wanted=wanted_words, planned=planned_words, because=because))
    return tuple(found)


def _because(plan: Plan) -> str:
    """The last pilot without room, or the use of the last pilot."""
    assert plan.pilot is not None
    steps = list(enumerate(plan.pilot.steps, 1))
    for number, step in reversed(steps):
        if step.shortages:
            return f"pilot {number} with {in_short(step.load)} had no room: {'; '.join(step.shortages)}"
    number, last = steps[-1]
    busy, cores = last.readings.busy_cores, last.readings.cores
    used = (
        ""
        if busy is None
        else f": {busy:.2f} of {cores} cores were busy, of which sizing fills {ROOM_SHARE * cores:.2f}"
    )
    return f"pilot {number} with {in_short(last.load)} had room{used}"


def in_short(load: LoadNumbers) -> str:
    """A size in a few words."""
    return f"{load.clients:,} clients, audience {load.audience:,}, {load.rate_hz:,g} messages/s"


def numbers_of(plan: Plan) -> LoadNumbers:
    """The numbers of ``plan`` that sizing looks at."""
    return LoadNumbers(clients=plan.clients, rate_hz=plan.rate_hz, audience=plan.audience)


def sized(plan: Plan, load: LoadNumbers) -> Sized:
    """``load`` as sizing counts it: with the servers and the seconds of ``plan``."""
    return Sized(
        servers=plan.servers,
        clients=load.clients,
        rate_hz=load.rate_hz,
        audience=load.audience,
        seconds=plan.warm_up_s + plan.duration_s,
    )
