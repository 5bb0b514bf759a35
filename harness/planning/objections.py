"""Every reason why a request cannot run as given, all at once, before anything starts."""

from harness.model.fault import FaultKind, Target
from harness.model.scenario import Scenario
from harness.planning.fault_schedule import wanted
from harness.planning.request import BACKPLANES, ENVIRONMENTS, RECOVERIES, REFERENCE_SERVER, WRITE_PATHS, Request

AVAILABLE_ENVIRONMENTS = ("embedded", "docker", "external")
AVAILABLE_BACKPLANES = ("redis", "memory")
AVAILABLE_WRITE_PATHS = ("db-first",)

FAULT_KINDS = {
    "embedded": (FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART),
    "docker": (FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.PARTITION, FaultKind.RESTART),
    "external": (),
}
"""What each environment can do to a part of its cluster. That clients stop reading needs no environment."""

MAX_SERVERS = 64
MAX_CLIENTS = 1_000_000
MAX_RATE_HZ = 100_000.0
MAX_DURATION_S = 86_400.0
MAX_MESSAGES = 50_000_000


def objections(request: Request, scenario: Scenario) -> tuple[str, ...]:
    """Sentences with what was expected and what was found; empty where nothing stands against the request."""
    return (*_choices(request), *_numbers(request), *_combinations(request, scenario), *_faults(request, scenario))


def _choices(request: Request) -> list[str]:
    found = []
    for option, value, known, available in (
        ("--environment", request.environment, ENVIRONMENTS, AVAILABLE_ENVIRONMENTS),
        ("--backplane", request.backplane, BACKPLANES, AVAILABLE_BACKPLANES),
        ("--write-path", request.write_path, WRITE_PATHS, AVAILABLE_WRITE_PATHS),
        ("--recovery", request.recovery, RECOVERIES, RECOVERIES),
    ):
        if value not in known:
            found.append(f"{option} {value!r}: expected one of {', '.join(available)}")
        elif value not in available:
            found.append(f"{option} {value}: comes later; this version has {', '.join(available)}")
    return found


def _numbers(request: Request) -> list[str]:
    found = []
    for option, value, low, high in (
        ("--servers", request.servers, 1, MAX_SERVERS),
        ("--clients", request.clients, 1, MAX_CLIENTS),
        ("--rate", request.rate_hz, 0.1, MAX_RATE_HZ),
        ("--duration", request.duration_s, 1.0, MAX_DURATION_S),
        ("--audience", None if request.audience == "all" else request.audience, 1, MAX_CLIENTS),
        ("--outage", request.outage_s, 0.1, MAX_DURATION_S),
    ):
        # `not (a <= b)` and not `a > b`: so that NaN is refused as well.
        if value is not None and not (low <= float(value) <= high):
            found.append(f"{option} {value}: expected a number from {low:,g} to {high:,g}")
    return found


def _combinations(request: Request, scenario: Scenario) -> list[str]:
    found = []
    servers = request.servers or request.external_servers or scenario.load.servers
    if request.backplane == "memory" and servers != 1:
        found.append(
            f"--backplane memory with {servers} servers: messages would not leave the server that accepted them; "
            "add --servers 1 or choose --backplane redis"
        )
    if request.environment == "external":
        if not request.external_servers:
            found.append("--environment external: expected the servers' addresses, e.g. --server http://10.0.0.5:8000")
        elif request.servers not in (None, request.external_servers):
            found.append(
                f"--servers {request.servers} with {request.external_servers} --server addresses: "
                "expected the same number; leave --servers out"
            )
    if request.server_module != REFERENCE_SERVER and request.environment != "embedded":
        found.append(f"--server-module goes with --environment embedded, not with {request.environment}")
    if request.environment != "external" and request.external_servers:
        found.append(f"--server goes with --environment external, not with {request.environment}")
    if request.clients is not None and request.clients < servers:
        found.append(f"--clients {request.clients} with {servers} servers: expected at least one client on each server")
    if request.clients is not None and isinstance(request.audience, int) and request.audience > request.clients:
        found.append(f"--audience {request.audience} with --clients {request.clients}: expected at most all clients")
    return found


def _faults(request: Request, scenario: Scenario) -> list[str]:
    """Every fault that cannot be done, and options that ask for no fault."""
    found = []
    faults = wanted(request, scenario)
    if request.outage_s is not None and not faults:
        found.append(
            f"--outage {request.outage_s:g}: {scenario.name} breaks nothing; say what with --fault or --target"
        )
    able = FAULT_KINDS.get(request.environment, ())
    for fault in faults:
        if fault.target is Target.CLIENTS:
            if fault.kind is not FaultKind.PAUSE:
                found.append(
                    f"--target clients with --fault {fault.kind}: clients can only stop reading; use --fault pause"
                )
            continue
        if fault.kind not in able:
            can = f"it can {', '.join(able)}" if able else "nothing of it is stopped or started from here"
            found.append(f"--fault {fault.kind} of {fault.target}: --environment {request.environment} cannot; {can}")
        if fault.target is Target.BROKER and request.backplane != "redis":
            found.append(f"--target redis with --backplane {request.backplane}: there is no Redis to break")
        if fault.kind is FaultKind.RESTART and request.outage_s is not None:
            found.append("--outage with --fault restart: a restart is stop and start at once; use --fault stop")
    return found
