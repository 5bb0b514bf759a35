"""Request + scenario + machine → a capacity search, and the plan of each of its steps. Pure."""

from dataclasses import replace

from harness.model.capacity import CapacityPlan, Vary
from harness.model.expectation import Expectation
from harness.model.machine_limits import MachineLimits
from harness.model.plan import Plan
from harness.planning.capacity_search import Bounds
from harness.planning.objections import MAX_CLIENTS, MAX_MESSAGES, MAX_RATE_HZ
from harness.planning.pilot import numbers_of, sized
from harness.planning.placement import channel_count
from harness.planning.request import Request
from harness.planning.sizing import WITHOUT_CPU, Sized, need, shortfalls, with_value, worker_count

STEP_DURATION_S = 10.0
LIMIT_MS = 100.0
RATE_FLOOR_HZ, AUDIENCE_FLOOR = 1, 1


def capacity_objections(request: Request, vary: Vary, limit_ms: float, *, is_sweep: bool) -> tuple[str, ...]:
    """What stands against a search as asked for, beside what stands against a run."""
    found = []
    if not 0 < limit_ms < float("inf"):
        found.append(f"--limit-ms {limit_ms}: expected a number above 0")
    if request.fault or request.target or request.outage_s is not None:
        found.append("--fault, --target, --outage: a capacity is searched for without faults; leave them out")
    given = {Vary.RATE: request.rate_hz, Vary.CLIENTS: request.clients, Vary.AUDIENCE: request.audience}[vary]
    if given == "all":
        found.append("--audience all with --vary audience: expected a number to begin with, or none")
    if is_sweep:
        found.append("a capacity is searched for at one server count; say which with --servers N")
    return tuple(found)


def as_step_request(request: Request) -> Request:
    """``request`` for the steps of a search: without a pilot, and short where no option says how long."""
    return replace(request, pilot=False, duration_s=request.duration_s or STEP_DURATION_S)


def plan_capacity(plan: Plan, vary: Vary, limit_ms: float, limits: MachineLimits) -> CapacityPlan:
    """The search that begins at the size of ``plan``. Nothing is tried that does not fit the machine but for its CPU."""
    base = replace(
        plan,
        faults=(),
        pilot=None,
        query_log=False,
        expectations=(Expectation(measure="latency_ms", statistic="p99", limit_ms=limit_ms),),
    )
    floor = {Vary.RATE: RATE_FLOOR_HZ, Vary.CLIENTS: plan.servers, Vary.AUDIENCE: AUDIENCE_FLOOR}[vary]
    start = max(floor, round({Vary.RATE: plan.rate_hz, Vary.CLIENTS: plan.clients, Vary.AUDIENCE: plan.audience}[vary]))
    top = {
        Vary.RATE: int(min(MAX_RATE_HZ, MAX_MESSAGES / (plan.duration_s + plan.warm_up_s))),
        Vary.CLIENTS: MAX_CLIENTS,
        Vary.AUDIENCE: plan.clients,
    }[vary]
    load = sized(base, numbers_of(base))
    ceiling = max(start, _largest_that_fits(load, vary, floor, top, base, limits))
    return CapacityPlan(plan=base, vary=vary, limit_ms=limit_ms, start=start, floor=floor, ceiling=ceiling)


def bounds_of(search: CapacityPlan) -> Bounds:
    return Bounds(start=search.start, floor=search.floor, ceiling=search.ceiling)


def step_plan(search: CapacityPlan, number: int, value: int, limits: MachineLimits) -> Plan:
    """The run of step ``number``, from 1, with the varied number at ``value``. Its channels have names of their own."""
    base = search.plan
    load = _with(sized(base, numbers_of(base)), search.vary, value, everyone=base.audience == base.clients)
    return replace(
        base,
        run_id=f"{base.run_id}s{number}",
        clients=load.clients,
        rate_hz=load.rate_hz,
        audience=load.audience,
        channels=channel_count(load.clients, load.audience),
        workers=worker_count(load.clients, limits),
        need=need(load, base.calibration, limits),
    )


def _with(load: Sized, vary: Vary, value: int, *, everyone: bool) -> Sized:
    return with_value(load, vary.value, value, everyone=everyone)


def _largest_that_fits(load: Sized, vary: Vary, low: int, top: int, plan: Plan, limits: MachineLimits) -> int:
    """The largest value from ``low`` to ``top`` with enough memory, descriptors, ports and disk; all of them grow with the
    value, so the border is bisected."""
    everyone = plan.audience == plan.clients

    def fits(value: int) -> bool:
        tried = _with(load, vary, value, everyone=everyone)
        return not shortfalls(need(tried, plan.calibration, limits), limits, WITHOUT_CPU)

    if fits(top):
        return top
    while top - low > 1:
        middle = (low + top) // 2
        low, top = (middle, top) if fits(middle) else (low, middle)
    return low
