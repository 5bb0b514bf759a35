"""Request + scenario with a sweep + machine → SweepPlan. Pure; everything that decides a sweep is decided here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from harness.model.environment import ENVIRONMENTS
from harness.model.errors import UsageError
from harness.model.machine_limits import MachineLimits
from harness.model.pilot import LoadNumbers
from harness.model.plan import Calibration, Plan, Reduction
from harness.model.scenario import Audience, Load, Scenario, Size, Sweep
from harness.model.sweep_plan import Curve, Member, SweepPlan
from harness.planning.objections import objections
from harness.planning.planner import Planned, free_numbers, given_audience, pilot_for, plan_run
from harness.planning.request import Request
from harness.planning.sizing import WITHOUT_CPU, Sized, fit

SHARE = 0.7
"""Share of the cores that the largest run may fill. It is smaller than for a single run, because dozens of processes
share each core, and a delivery waits for several of them. Of two sweeps that filled 0.8 one had a P99 of 121 ms at 16
servers."""
WEAK_RATE = "rate of the weak curve"
MAX_REPEAT = 100
MAX_RUNS = 400
_STREAM = 0x5C
"""Makes the random order independent of other random choices with the same seed."""

# Wall time of one run beside its warm-up and its measured window, as measured on the calibration's reference machine.
REFERENCE_POST_S = 500e-6
REFERENCE_CORES = 2
FIXED_S, SERVER_S = 4.5, 0.15
CONNECT_CLIENT_S = 0.43e-3
OPEN_CHANNEL_S = 0.35e-3
"""A channel is opened once at every server that has clients of it."""
PROBE_CHANNEL_S = 1 / 500
END_CLIENT_S = 0.08e-3
JUDGED_HZ = 2e6


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSweep:
    """A sweep and, if some run of it does not fit the machine, the reasons: one sentence per limit and count."""

    plan: SweepPlan
    shortfalls: tuple[str, ...]


def is_sweep(request: Request, scenario: Scenario) -> bool:
    """Whether this request is for a sweep: the scenario has one, and the request does not name a single count."""
    return scenario.sweep is not None and request.servers is None and not len(request.server_urls)


def sweep_objections(request: Request, scenario: Scenario) -> tuple[str, ...]:
    """The objections to ``--servers A,B,…`` and ``--repeat``, beside those to a single run."""
    if not is_sweep(request, scenario):
        found = []
        if request.server_counts:
            asked = ",".join(map(str, request.server_counts))
            found.append(f"--servers {asked}: expected one number, because {scenario.name} is not a sweep over servers")
        if request.repeat != 1:
            found.append(f"--repeat {request.repeat}: expected a sweep, i.e. scenario-c with several server counts")
        return tuple(found)
    counts = server_counts(request, scenario)
    found = list(dict.fromkeys(o for n in counts for o in objections(replace(request, servers=n), scenario)))
    if not 1 <= request.repeat <= MAX_REPEAT:
        found.append(f"--repeat {request.repeat}: expected a number from 1 to {MAX_REPEAT}")
    elif 2 * len(counts) * request.repeat > MAX_RUNS:
        found.append(f"--repeat {request.repeat} at {len(counts)} counts: expected at most {MAX_RUNS} runs in all")
    found += _changed_numbers(request, scenario, counts)
    environment = ENVIRONMENTS.find(request.environment)
    if environment is not None and environment.takes_addresses:
        starters = " or ".join(each.name for each in ENVIRONMENTS if not each.takes_addresses)
        found.append(
            f"--environment {environment.name}: a sweep starts clusters of several sizes, expected {starters}; "
            "a single count works with a --server for each"
        )
    return tuple(found)


def _changed_numbers(request: Request, scenario: Scenario, counts: tuple[int, ...]) -> list[str]:
    """Numbers given by an option that a sweep could not keep: its runs share the audience and the clients per
    server."""
    assert scenario.sweep is not None
    found = []
    if request.clients is not None and request.clients % counts[-1]:
        found.append(
            f"--clients {request.clients} with {counts[-1]} servers in the largest run: expected a multiple of "
            f"{counts[-1]}, because every server of a sweep has the same number of clients"
        )
    fewest = counts[0] * _clients_per_server(request, scenario.sweep, counts[-1])
    if isinstance(request.audience, int) and request.audience > fewest:
        found.append(
            f"--audience {request.audience} with {fewest} clients in the smallest run ({counts[0]} servers): expected "
            "at most all of them, because the audience is the same in every run of a sweep"
        )
    return found


def server_counts(request: Request, scenario: Scenario) -> tuple[int, ...]:
    """The counts of the sweep, rising, each once."""
    assert scenario.sweep is not None
    own = scenario.sweep.smoke_counts if request.size is Size.SMOKE else scenario.sweep.server_counts
    return tuple(sorted(set(request.server_counts or own)))


def plan_sweep(
    request: Request,
    scenario: Scenario,
    *,
    limits: MachineLimits,
    calibration: Calibration,
    run_id: Callable[[], str],
) -> PlannedSweep:
    """The runs that ``request`` makes of ``scenario`` on this machine.

    Audience and clients per server are the largest that fit at every count of the constant curve; the weak curve keeps
    them and lowers its rate per server if necessary. Raises UsageError with every objection.
    """
    if found := sweep_objections(request, scenario):
        raise UsageError(*found)
    counts = server_counts(request, scenario)
    shared = _share(request, scenario, counts, limits=limits, calibration=calibration)
    drawn = _order(request, counts)
    members: list[Member] = []
    shortfalls: dict[str, None] = {}
    for order, (curve, servers, repetition) in enumerate(drawn, 1):
        asked = replace(
            request,
            servers=servers,
            clients=servers * shared.clients_per_server,
            rate_hz=shared.rate_hz if curve is Curve.CONSTANT else servers * shared.weak_rate_per_server_hz,
            audience=shared.audience,
            # A repetition has another random choice of channels and servers.
            seed=request.seed + repetition - 1,
            server_counts=(),
            repeat=1,
        )
        made = plan_run(asked, scenario, limits=limits, calibration=calibration, run_id=run_id(), command=())
        plan = replace(made.plan, reductions=shared.reductions, asked_audience=shared.asked.audience)
        shortfalls |= dict.fromkeys(f"{servers} servers, {curve} curve: {short}" for short in made.shortfalls)
        members.append(
            Member(
                order=order,
                curve=curve,
                repetition=repetition,
                plan=plan,
                predicted_s=predict_s(plan, calibration, limits.cores),
            )
        )
    widest = next(m.plan for m in members if m.curve is Curve.CONSTANT and m.servers == counts[-1])
    sweep = SweepPlan(
        members=tuple(members),
        widest=widest,
        server_counts=counts,
        clients_per_server=shared.clients_per_server,
        weak_rate_per_server_hz=shared.weak_rate_per_server_hz,
        repeat=request.repeat,
        predicted_s=sum(member.predicted_s for member in members),
    )
    return PlannedSweep(plan=sweep, shortfalls=tuple(shortfalls))


def plan_count(
    request: Request, scenario: Scenario, *, limits: MachineLimits, calibration: Calibration, run_id: str
) -> Planned:
    """The single run that ``request`` makes of a sweep's ``scenario``: sized as the sweep would size it at this count.

    Raises UsageError with every objection.
    """
    servers = request.servers or len(request.server_urls)
    shared = _share(request, scenario, (servers,), limits=limits, calibration=calibration)
    asked = replace(
        request,
        clients=servers * shared.clients_per_server if request.clients is None else request.clients,
        rate_hz=shared.rate_hz,
        audience=shared.audience if request.audience is None else request.audience,
    )
    made = plan_run(asked, scenario, limits=limits, calibration=calibration, run_id=run_id, command=())
    reductions = tuple(reduction for reduction in shared.reductions if reduction.what != WEAK_RATE)
    is_for_all = request.audience == "all"
    pilot = pilot_for(request, shared.asked, everyone=is_for_all)
    asked_audience: Audience = "all" if is_for_all else shared.asked.audience
    plan = replace(made.plan, reductions=reductions, asked_audience=asked_audience, pilot=pilot)
    return replace(made, plan=plan)


def predict_s(plan: Plan, calibration: Calibration, cores: int) -> float:
    """Wall time of one run from start to report."""
    slowness = max(1.0, calibration.per_post_s / REFERENCE_POST_S)
    opened = plan.servers * min(plan.channels, plan.clients // plan.servers)
    # Connecting and closing are spread over many processes, so they take half the time on twice the cores.
    spread_s = plan.clients * (CONNECT_CLIENT_S + END_CLIENT_S) + opened * OPEN_CHANNEL_S
    spread_s *= REFERENCE_CORES / min(cores, plan.servers + plan.workers)
    judge_s = plan.deliveries_per_s * plan.duration_s / JUDGED_HZ
    work_s = (FIXED_S + SERVER_S * plan.servers + spread_s + judge_s) * slowness
    return round(work_s + plan.channels * PROBE_CHANNEL_S + plan.warm_up_s + plan.duration_s, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """The numbers that all runs of a sweep have in common."""

    clients_per_server: int
    rate_hz: float
    weak_rate_per_server_hz: float
    audience: int
    asked: LoadNumbers
    """the largest run before sizing"""
    reductions: tuple[Reduction, ...]


def _share(
    request: Request, scenario: Scenario, counts: tuple[int, ...], *, limits: MachineLimits, calibration: Calibration
) -> _Shared:
    assert scenario.sweep is not None
    smoke = request.size is Size.SMOKE
    base = scenario.smoke if smoke else scenario.load
    most = counts[-1]
    per_server = _clients_per_server(request, scenario.sweep, most)
    rate_hz = base.rate_hz if request.rate_hz is None else float(request.rate_hz)
    asked_audience = _audience(request, base, per_server * counts[0])
    duration_s = base.duration_s if request.duration_s is None else request.duration_s
    load = Sized(
        servers=most,
        clients=per_server * most,
        rate_hz=rate_hz,
        audience=asked_audience,
        seconds=duration_s + min(base.warm_up_s, duration_s / 4),
    )
    asked = LoadNumbers(clients=load.clients, rate_hz=rate_hz, audience=load.audience)
    weak_share = _weak_rate_hz(scenario.sweep, smoke=smoke) / base.rate_hz
    reductions: tuple[Reduction, ...] = ()
    weak_hz = weak_share * rate_hz
    if request.size is Size.FIT:
        # The need of a run grows with its servers, so a load that fits at the largest count fits at every count.
        # Clients per server are what the scenario is about: they are lowered for memory, descriptors and ports, never
        # for CPU.
        free = set(free_numbers(request))
        load, reductions = fit(
            load,
            ("clients",) if "clients" in free else (),
            everyone=False,
            cost=calibration,
            limits=limits,
            share=WITHOUT_CPU,
            # The smallest run must still have the clients of a given audience.
            clients_min=ceil(given_audience(request) / counts[0]) * most,
        )
        load, lowered = fit(
            load,
            tuple(free - {"clients"}),
            everyone=False,
            cost=calibration,
            limits=limits,
            share=SHARE,
        )
        reductions += lowered
        per_server = max(1, load.clients // most)
        load = replace(load, clients=per_server * most, audience=min(load.audience, per_server * counts[0]))
        weak, lowered = fit(
            replace(load, rate_hz=weak_share * load.rate_hz * most),
            ("rate",),
            everyone=False,
            cost=calibration,
            limits=limits,
            share=SHARE,
        )
        wanted_hz, weak_hz = weak_hz, weak.rate_hz / most
        if lowered or load.rate_hz < rate_hz:
            reductions += (
                Reduction(
                    what=WEAK_RATE,
                    wanted=f"{wanted_hz:,g} messages/s per server",
                    planned=f"{weak_hz:,g} messages/s per server",
                    because=f"{most} servers: {lowered[0].because}" if lowered else "it keeps its share of the rate",
                ),
            )
    return _Shared(
        clients_per_server=per_server,
        rate_hz=load.rate_hz,
        weak_rate_per_server_hz=weak_hz,
        audience=load.audience,
        asked=asked,
        reductions=reductions,
    )


def _clients_per_server(request: Request, sweep: Sweep, most: int) -> int:
    """``--clients`` counts those of the largest run, over all its servers, as it does for every run."""
    if request.clients is not None:
        return max(1, request.clients // most)
    return sweep.smoke_clients_per_server if request.size is Size.SMOKE else sweep.clients_per_server


def _audience(request: Request, base: Load, fewest_clients: int) -> int:
    """The same at every count, so at most the clients of the smallest run; ``all`` means this number here."""
    asked = base.audience if request.audience is None else request.audience
    return fewest_clients if asked == "all" else min(asked, fewest_clients)


def _weak_rate_hz(sweep: Sweep, *, smoke: bool) -> float:
    return sweep.smoke_weak_rate_per_server_hz if smoke else sweep.weak_rate_per_server_hz


def _order(request: Request, counts: tuple[int, ...]) -> list[tuple[Curve, int, int]]:
    """Every point once in each repetition, each in its own order: a drift over time does not look like growth with the
    servers, and a sweep that is stopped early has whole repetitions."""
    rng = np.random.default_rng((request.seed, _STREAM))
    points = [(curve, servers) for curve in Curve for servers in counts]
    return [
        (*points[index], repetition)
        for repetition in range(1, request.repeat + 1)
        for index in rng.permutation(len(points)).tolist()
    ]
