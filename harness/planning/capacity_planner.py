"""Request + scenario + machine → a capacity search, and the plan of each of its steps. Pure."""

from dataclasses import dataclass, replace
from math import floor

from harness.model.capacity import CapacityPlan, Vary
from harness.model.expectation import Expectation
from harness.model.machine_limits import MachineLimits
from harness.model.plan import Plan
from harness.planning.capacity_search import Bounds
from harness.planning.objections import MAX_CLIENTS, MAX_MESSAGES, MAX_RATE_HZ
from harness.planning.pilot import numbers_of, sized
from harness.planning.placement import channel_count
from harness.planning.repeat_command import capacity_command
from harness.planning.request import Request
from harness.planning.sizing import WITHOUT_CPU, need, shortfalls, with_value, worker_count

STEP_DURATION_S = 10.0
REPETITION_TIMES = 3
"""The repetition of an undecided step lasts this many times as long. In 10 s neighbouring seconds often resemble each
other too much to bound a P99 from above."""
RATE_FLOOR_HZ, AUDIENCE_FLOOR = 1, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCapacity:
    """A search and, if its first step does not fit the machine, the reasons: one sentence per limit. CPU is left out,
    because the search measures its limit."""

    plan: CapacityPlan
    shortfalls: tuple[str, ...]


def capacity_objections(request: Request, vary: Vary, limit_ms: float, *, is_sweep: bool) -> tuple[str, ...]:
    """The objections to a requested search, beside those to a run."""
    found = []
    if not 0 < limit_ms < float("inf"):
        found.append(f"--limit-ms {limit_ms}: expected a number above 0")
    if request.fault or request.target or request.outage_s is not None:
        found.append("--fault, --target, --outage: a capacity search injects no faults; leave these options out")
    given = {Vary.RATE: request.rate_hz, Vary.CLIENTS: request.clients, Vary.AUDIENCE: request.audience}[vary]
    if given == "all":
        found.append("--audience all with --vary audience: expected a number to begin with, or none")
    elif given is not None and given != floor(given):
        found.append(
            f"--{vary} {given:g} with --vary {vary}: expected a whole number, because the search tries only whole "
            "numbers"
        )
    if is_sweep:
        found.append("a capacity search uses one server count; give it with --servers N")
    return tuple(found)


def as_step_request(request: Request) -> Request:
    """``request`` for the steps of a search: without a pilot, and short if no option gives the duration."""
    duration_s = STEP_DURATION_S if request.duration_s is None else request.duration_s
    return replace(request, pilot=False, duration_s=duration_s)


def plan_capacity(plan: Plan, vary: Vary, limit_ms: float, limits: MachineLimits) -> PlannedCapacity:
    """The search that begins at the size of ``plan``. Only the varied number changes; an audience of all clients
    follows their number. Above the first step the search tries only loads that fit the machine, apart from the CPU."""
    start = round({Vary.RATE: plan.rate_hz, Vary.CLIENTS: plan.clients, Vary.AUDIENCE: plan.audience}[vary])
    fewest_clients = max(plan.servers, 1 if plan.is_for_all else plan.audience)
    smallest = {Vary.RATE: RATE_FLOOR_HZ, Vary.CLIENTS: fewest_clients, Vary.AUDIENCE: AUDIENCE_FLOOR}[vary]
    top = {
        Vary.RATE: floor(min(MAX_RATE_HZ, MAX_MESSAGES / (REPETITION_TIMES * plan.duration_s + plan.warm_up_s))),
        Vary.CLIENTS: MAX_CLIENTS,
        Vary.AUDIENCE: plan.clients,
    }[vary]
    base = replace(
        plan,
        faults=(),
        pilot=None,
        query_log=False,
        expectations=(Expectation(measure="latency_ms", statistic="p99", limit_ms=limit_ms),),
        # The search finds the varied number, so its first value is not a reduction.
        reductions=tuple(cut for cut in plan.reductions if cut.what != vary),
        asked_audience=start if vary is Vary.AUDIENCE else plan.asked_audience,
    )
    base = replace(base, command=capacity_command(base, vary, limit_ms))
    search = CapacityPlan(
        plan=base, vary=vary, limit_ms=limit_ms, start=max(start, smallest), floor=smallest, ceiling=top
    )
    short = _shortfalls(search, search.start, limits)
    ceiling = search.start if short else _largest_that_fits(search, limits)
    return PlannedCapacity(plan=replace(search, ceiling=ceiling), shortfalls=short)


def bounds_of(search: CapacityPlan) -> Bounds:
    return Bounds(start=search.start, floor=search.floor, ceiling=search.ceiling)


def step_plan(
    search: CapacityPlan, number: int, value: int, limits: MachineLimits, *, repeats_undecided: bool = False
) -> Plan:
    """The run of step ``number``, from 1, with the varied number at ``value``. Its channels have their own names, and
    its command is the search that begins with it. The repetition of an undecided step lasts longer."""
    times = REPETITION_TIMES if repeats_undecided else 1
    base = replace(search.plan, duration_s=search.plan.duration_s * times)
    load = with_value(sized(base, numbers_of(base)), search.vary.value, value, everyone=base.is_for_all)
    step = replace(
        base,
        run_id=f"{base.run_id}s{number}",
        clients=load.clients,
        rate_hz=load.rate_hz,
        audience=load.audience,
        asked_audience=value if search.vary is Vary.AUDIENCE else base.asked_audience,
        channels=channel_count(load.clients, load.audience),
        workers=worker_count(load.clients, limits),
        need=need(load, base.calibration, limits),
    )
    first = replace(step, duration_s=search.plan.duration_s)
    return replace(step, command=capacity_command(first, search.vary, search.limit_ms))


def _shortfalls(search: CapacityPlan, value: int, limits: MachineLimits) -> tuple[str, ...]:
    longest = step_plan(search, 1, value, limits, repeats_undecided=True)
    return shortfalls(longest.need, limits, WITHOUT_CPU)


def _largest_that_fits(search: CapacityPlan, limits: MachineLimits) -> int:
    """The largest value from the first step's, which fits, to the ceiling with enough memory, descriptors, ports and
    disk. All of them grow with the value, so the border is bisected."""
    low, top = search.start, max(search.start, search.ceiling)
    if not _shortfalls(search, top, limits):
        return top
    while top - low > 1:
        middle = (low + top) // 2
        low, top = (low, middle) if _shortfalls(search, middle, limits) else (middle, top)
    return low
