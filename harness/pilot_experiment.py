"""The pilots of a run: short runs on its own cluster, each smaller than the last until the machine has room."""

from dataclasses import asdict

from harness.measurement import Run
from harness.model.cluster import Cluster
from harness.model.finding import Verdict
from harness.model.pilot import PilotStep
from harness.model.plan import Plan
from harness.observation.limits import read_limits
from harness.planning.pilot import after_step, decide, in_short, numbers_of, pilot_plan, with_size
from harness.planning.pilot_readings import readings, shortages
from harness.recording.format import PILOTS
from harness.short_run import run_briefly


async def find_size(run: Run, cluster: Cluster) -> Plan:
    """The plan of ``run`` at the size that its pilots decide, with every pilot in it.

    Each pilot leaves its recording in ``pilots/<number>/`` and an event. Raises the errors of a run.
    """
    run.enter("pilot")
    plan = run.plan
    limits = read_limits(run.folder)
    while True:
        assert plan.pilot is not None
        number = len(plan.pilot.steps) + 1
        verdict = await run_briefly(pilot_plan(plan, number), cluster, run.folder / PILOTS / str(number), run.watch)
        step = _step(plan, verdict, limits.cores)
        plan = after_step(plan, step)
        decision = decide(plan, limits)
        run.journal.event("pilot", number=number, **asdict(step), next=asdict(decision.load), settled=decision.settled)
        run.watch.note(_in_words(number, step))
        plan = with_size(plan, decision, limits)
        if decision.settled:
            run.watch.note(f"measured with {in_short(decision.load)}: {decision.settled}")
            return plan
        run.watch.note(f"next pilot with {in_short(decision.load)}")


def _step(plan: Plan, verdict: Verdict, cores: int) -> PilotStep:
    assert verdict.run is not None
    found = readings(verdict.run, cores)
    return PilotStep(
        load=numbers_of(plan),
        predicted_cores=round(plan.need.cores, 4),
        readings=found,
        shortages=shortages(found),
    )


def _in_words(number: int, step: PilotStep) -> str:
    busy = step.readings.busy_cores
    used = (
        ""
        if busy is None
        else f", {busy:.2f} of {step.readings.cores} cores busy ({step.predicted_cores:.2f} predicted)"
    )
    room = "room" if step.has_room else f"no room: {'; '.join(step.shortages)}"
    return f"pilot {number}: {in_short(step.load)}{used}: {room}"
