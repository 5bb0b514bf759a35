"""Request + scenario + machine → Plan. Pure; everything that decides a run is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.backplane import BACKPLANES
from harness.model.backplane_setting import chosen
from harness.model.cluster import REFERENCE_SERVER
from harness.model.environment import ENVIRONMENTS
from harness.model.errors import UsageError
from harness.model.machine_limits import MachineLimits
from harness.model.message import MIN_TEXT_BYTES
from harness.model.pilot import LoadNumber, LoadNumbers, Pilot
from harness.model.plan import Calibration, Plan, Reduction
from harness.model.scenario import Load, Scenario, Size
from harness.planning.fault_schedule import default_duration_s, settle
from harness.planning.objections import MAX_MESSAGES, objections
from harness.planning.placement import channel_count
from harness.planning.request import SWITCH, Request
from harness.planning.sizing import Sized, fit, need, shortfalls, worker_count

TEXT_BYTES = 96
assert TEXT_BYTES >= MIN_TEXT_BYTES, "a text must hold the message's identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan and, if it does not fit the machine, the reasons: one sentence for each limit that it exceeds."""

    plan: Plan
    shortfalls: tuple[str, ...]


def plan_run(
    request: Request,
    scenario: Scenario,
    *,
    limits: MachineLimits,
    calibration: Calibration,
    run_id: str,
    command: Sequence[str],
) -> Planned:
    """The run that ``request`` makes of ``scenario`` on this machine.

    Raises UsageError with every objection when the request is impossible anywhere. ``shortfalls`` of the result says
    why it does not fit here: the caller refuses it or, with ``--force``, continues.
    """
    if found := objections(request, scenario):
        raise UsageError(*found)
    base = scenario.smoke if request.size is Size.SMOKE else scenario.load
    asked = _asked(request, base)
    load = asked.sized
    reductions: tuple[Reduction, ...] = ()
    if request.size is Size.FIT:
        load, reductions = fit(
            load,
            free_numbers(request),
            everyone=asked.everyone,
            cost=calibration,
            limits=limits,
            clients_min=given_audience(request),
        )
    if load.rate_hz * load.seconds > MAX_MESSAGES:
        raise UsageError(
            f"{load.rate_hz:g} messages/s for {load.seconds:g} s: expected at most {MAX_MESSAGES:,} messages in a run; "
            "lower --rate or --duration"
        )
    wanted = need(load, calibration, limits)
    plan = Plan(
        scenario=scenario.name,
        title=scenario.title,
        claim=scenario.claim,
        servers=load.servers,
        clients=load.clients,
        rate_hz=load.rate_hz,
        audience=load.audience,
        asked_audience=request.audience or base.audience,
        channels=channel_count(load.clients, load.audience),
        duration_s=asked.duration_s,
        warm_up_s=asked.warm_up_s,
        text_bytes=TEXT_BYTES,
        workers=worker_count(load.clients, limits),
        size=request.size,
        environment=request.environment,
        backplane=request.backplane,
        backplane_settings=chosen(
            request.backplane_settings, BACKPLANES.get(request.backplane).settings, request.backplane
        ),
        write_path=request.write_path,
        seed=request.seed,
        run_id=run_id,
        expectations=scenario.expectations,
        reductions=reductions,
        need=wanted,
        calibration=calibration,
        forced=request.force,
        command=tuple(command),
        faults=settle(request, scenario, servers=load.servers, clients=load.clients),
        recovery=request.recovery,
        server_module=request.server_module,
        server_urls=request.server_urls,
        ca_file=request.ca_file,
        insecure=request.insecure,
        messages_table=request.messages_table or _own_table(request),
        engine=request.engine,
        protocol=request.protocol,
        query_log=scenario.sweep is not None and ENVIRONMENTS.get(request.environment).owns_components,
        fail_fast=request.fail_fast,
        placement=request.placement,
        synchronous_commit=request.synchronous_commit == SWITCH[0],
        pilot=_pilot(request, asked),
    )
    return Planned(plan=plan, shortfalls=shortfalls(wanted, limits))


def _own_table(request: Request) -> str:
    """The reference server's table, if that server writes to the database; the contract does not name tables of other
    servers."""
    environment = ENVIRONMENTS.find(request.environment)
    ours = environment is not None and environment.owns_components and request.server_module == REFERENCE_SERVER
    return "messages" if ours else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    sized: Sized
    everyone: bool
    duration_s: float
    warm_up_s: float


def _asked(request: Request, base: Load) -> _Asked:
    """The numbers before sizing: those of the command line if given, else the scenario's."""

    def pick(given: Any, own: Any) -> Any:
        return own if given is None else given

    servers = request.servers or len(request.server_urls) or base.servers
    clients = max(pick(request.clients, base.clients), servers)
    audience = pick(request.audience, base.audience)
    duration_s = float(pick(request.duration_s, default_duration_s(request, base.duration_s)))
    # A warm-up is at most a quarter of the measured time.
    warm_up_s = min(base.warm_up_s, duration_s / 4)
    sized = Sized(
        servers=servers,
        clients=clients,
        rate_hz=float(pick(request.rate_hz, base.rate_hz)),
        audience=clients if audience == "all" else min(audience, clients),
        seconds=duration_s + warm_up_s,
    )
    return _Asked(sized=sized, everyone=audience == "all", duration_s=duration_s, warm_up_s=warm_up_s)


def _pilot(request: Request, asked: _Asked) -> Pilot | None:
    sized = asked.sized
    numbers = LoadNumbers(clients=sized.clients, rate_hz=sized.rate_hz, audience=sized.audience)
    return pilot_for(request, numbers, everyone=asked.everyone)


def pilot_for(request: Request, asked: LoadNumbers, *, everyone: bool) -> Pilot | None:
    """The pilots of a run whose size before sizing is ``asked``: for ``fit``, if at least one number is not given by an
    option."""
    free = free_numbers(request)
    if request.size is not Size.FIT or not request.pilot or not free:
        return None
    return Pilot(free=free, asked=asked, everyone=everyone)


def given_audience(request: Request) -> int:
    """The number of clients that ``--audience`` names; 1 if it names none."""
    return request.audience if isinstance(request.audience, int) else 1


def free_numbers(request: Request) -> tuple[LoadNumber, ...]:
    """The numbers that were not given on the command line: only these may be lowered."""
    free: list[LoadNumber] = []
    if request.audience is None:
        free.append("audience")
    if request.clients is None:
        free.append("clients")
    if request.rate_hz is None:
        free.append("rate")
    return tuple(free)
