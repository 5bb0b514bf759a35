"""Every reason why a request cannot run as given, all at once, before anything starts."""

import re
from collections.abc import Sequence

from harness.model.addresses import parse_servers
from harness.model.backplane import BACKPLANES, WRITE_PATHS, Backplane, unfit
from harness.model.backplane_setting import problems
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.component import COMPONENT_KINDS
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS, Environment
from harness.model.errors import UsageError
from harness.model.fault import LINK_TARGETS, Fault, FaultKind, Target
from harness.model.scenario import Scenario, Size
from harness.model.tls import Tls
from harness.planning.fault_schedule import wanted
from harness.planning.request import PLACEMENTS, RECOVERIES, SWITCH, Request

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62})?")
MAX_SERVERS = 64
MAX_CLIENTS = 1_000_000
MAX_RATE_HZ = 100_000.0
MAX_DURATION_S = 86_400.0
MAX_MESSAGES = 50_000_000


def objections(request: Request, scenario: Scenario) -> tuple[str, ...]:
    """Sentences with what was expected and what was found; empty if the request can run."""
    return (*_choices(request), *_numbers(request), *_combinations(request, scenario), *_faults(request, scenario))


def _choices(request: Request) -> list[str]:
    found = []
    for option, value, known in (
        ("--environment", request.environment, ENVIRONMENTS.names),
        ("--backplane", request.backplane, BACKPLANES.names),
        ("--write-path", request.write_path, WRITE_PATHS.names),
        ("--recovery", request.recovery, RECOVERIES),
        ("--placement", request.placement, PLACEMENTS),
        ("--synchronous-commit", request.synchronous_commit, SWITCH),
        ("--protocol", request.protocol, CLIENT_PROTOCOLS.names),
        ("--engine", request.engine, ENGINES.names),
    ):
        if value not in known:
            found.append(f"{option} {value!r}: expected one of {', '.join(known)}")
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
        # `not a <= b` and not `a > b`: so that NaN is refused as well.
        if value is not None and not low <= value <= high:
            found.append(f"{option} {value}: expected a number from {in_full(low)} to {in_full(high)}")
    return found


def _servers(request: Request, scenario: Scenario) -> int:
    load = scenario.smoke if request.size is Size.SMOKE else scenario.load
    return request.servers or len(request.server_urls) or load.servers


def in_full(number: float) -> str:
    """With all its digits: 1,000,000 and not 1e+06."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"


def _combinations(request: Request, scenario: Scenario) -> list[str]:
    found = []
    load = scenario.smoke if request.size is Size.SMOKE else scenario.load
    servers = _servers(request, scenario)
    clients = load.clients if request.clients is None else request.clients
    backplane, environment = BACKPLANES.find(request.backplane), ENVIRONMENTS.find(request.environment)
    if backplane is not None and backplane.servers_max is not None and servers > backplane.servers_max:
        others = ", ".join(each.name for each in BACKPLANES if each.servers_max is None)
        found.append(
            f"--backplane {backplane.name} with {servers} servers: messages would not leave the server that accepted "
            f"them; add --servers {backplane.servers_max} or choose another --backplane: {others}"
        )
    if backplane is not None:
        found += problems(request.backplane_settings, backplane.settings, backplane.name)
    write_path = WRITE_PATHS.find(request.write_path)
    if write_path is not None and backplane is not None and (reason := unfit(write_path, backplane)):
        found.append(reason)
    if environment is not None:
        found += _unfit_for(environment, backplane, request)
    if request.clients is not None and request.clients < servers:
        found.append(f"--clients {request.clients} with {servers} servers: expected at least one client on each server")
    if isinstance(request.audience, int) and request.audience > clients:
        origin = "the scenario's" if request.clients is None else "--clients"
        found.append(
            f"--audience {request.audience} with {clients} clients ({origin}): expected at most all of them; lower "
            "--audience or raise --clients"
        )
    return found


def _unfit_for(environment: Environment, backplane: Backplane | None, request: Request) -> list[str]:
    """Options that this environment does not accept, or that it needs and that are missing."""
    found = []
    name, urls = environment.name, request.server_urls
    if environment.takes_addresses:
        if not urls:
            found.append(f"--environment {name}: expected the servers' addresses, e.g. --server http://10.0.0.5:8000")
        elif request.servers not in (None, len(urls)):
            found.append(
                f"--servers {request.servers} with {len(urls)} --server addresses: "
                "expected the same number; leave --servers out"
            )
    elif urls:
        takers = ", ".join(each.name for each in ENVIRONMENTS if each.takes_addresses)
        found.append(f"--server goes with --environment {takers}, not with {name}")
    found += address_objections(urls, ca_file=request.ca_file, insecure=request.insecure)
    if request.server_module != REFERENCE_SERVER and not environment.takes_server_module:
        takers = ", ".join(each.name for each in ENVIRONMENTS if each.takes_server_module)
        found.append(f"--server-module goes with --environment {takers}, not with {name}")
    if request.synchronous_commit != SWITCH[0]:
        found += _commits_before_the_flush(environment, request)
    if request.messages_table and not _TABLE.fullmatch(request.messages_table):
        found.append(f"--messages-table {request.messages_table!r}: expected NAME or SCHEMA.NAME")
    if request.backplane_settings and not environment.owns_components:
        found.append(
            f"--backplane-setting: --environment {name} starts no servers; expected the settings in their own files"
        )
    kind = COMPONENT_KINDS.find(backplane.broker) if backplane is not None and backplane.broker else None
    if kind is not None and environment.owns_components and name not in kind.starters:
        found.append(
            f"--backplane {request.backplane}: --environment {name} cannot start {kind.title}; "
            f"expected one of {', '.join(kind.starters) or 'no environment'}"
        )
    return found


def address_objections(urls: Sequence[str], *, ca_file: str, insecure: bool) -> list[str]:
    """The objections to the servers' addresses, and to the options that verify their certificates."""
    found: list[str] = []
    secure = False
    try:
        secure = any(server.tls for server in parse_servers(urls, Tls()))
    except UsageError as error:
        found += error.objections
        secure = True  # an address that cannot be read may have any scheme
    if ca_file and insecure:
        found.append("--ca with --insecure: expected one of them; --insecure verifies nothing")
    if (ca_file or insecure) and not secure:
        found.append(
            f"{'--ca' if ca_file else '--insecure'}: expected an address with https:// after --server, found none"
        )
    return found


def _commits_before_the_flush(environment: Environment, request: Request) -> list[str]:
    option = f"--synchronous-commit {request.synchronous_commit}"
    if not environment.owns_components:
        return [f"{option}: --environment {environment.name} does not set it; set it in the servers' own sessions"]
    if request.server_module != REFERENCE_SERVER:
        return [f"{option} is a setting of the reference server; --server-module {request.server_module} has its own"]
    path = WRITE_PATHS.find(request.write_path)
    if path is not None and not path.commits_first:
        return [
            f"{option} with --write-path {path.name}: it changes what an acknowledgement costs, and this one waits "
            "for no COMMIT; choose a write path that commits first"
        ]
    return []


def _faults(request: Request, scenario: Scenario) -> list[str]:
    """Every fault that cannot be injected, and options that need a fault."""
    found = []
    faults = wanted(request, scenario)
    if request.outage_s is not None and not faults:
        found.append(
            f"--outage {request.outage_s:g}: {scenario.name} injects no fault; say which with --fault or --target"
        )
    environment, backplane = ENVIRONMENTS.find(request.environment), BACKPLANES.find(request.backplane)
    able = () if environment is None else environment.faults
    for fault in faults:
        if fault.target is Target.CLIENTS:
            if fault.kind is not FaultKind.PAUSE:
                found.append(
                    f"--target clients with --fault {fault.kind}: clients can only stop reading; use --fault pause"
                )
            continue
        if fault.kind is FaultKind.RESTART and request.outage_s is not None:
            found.append("--outage with --fault restart: a restart is stop and start at once; use --fault stop")
        if fault.target in LINK_TARGETS:
            if environment is not None and backplane is not None:
                found += _of_link(fault, environment, backplane, _servers(request, scenario))
            continue
        if fault.kind not in able:
            can = f"it can {', '.join(able)}" if able else "it starts and stops no component"
            found.append(f"--fault {fault.kind} of {fault.target}: --environment {request.environment} cannot; {can}")
        if fault.target is Target.BROKER and backplane is not None and backplane.broker is None:
            found.append(f"--target {fault.target} with --backplane {backplane.name}: there is no broker to break")
    return found


def _of_link(fault: Fault, environment: Environment, backplane: Backplane, servers: int) -> list[str]:
    """Why this fault of a link cannot be injected, as at most one sentence."""
    link, asked = backplane.breakable, f"--fault {fault.kind} of {fault.target}"
    if link is None:
        havers = " or ".join(each.name for each in BACKPLANES if each.breakable is not None)
        return [
            f"--target {fault.target} with --backplane {backplane.name}: it has no link that can be broken by itself; "
            f"expected --backplane {havers}"
        ]
    if not environment.owns_components:
        return [f"{asked}: --environment {environment.name} cannot; it breaks nothing that is not its own"]
    if fault.kind not in link.faults:
        return [
            f"{asked} with --backplane {backplane.name}: a {link.noun} cannot be broken so; expected --fault "
            f"{' or '.join(link.faults)}"
        ]
    if fault.kind not in link.sessions and not environment.relays:
        relaying = " or ".join(each.name for each in ENVIRONMENTS if each.relays)
        instead = f", or --fault {' or '.join(link.sessions)}" if link.sessions else ""
        return [
            f"{asked} with --backplane {backplane.name}: --environment {environment.name} cannot, because it puts no "
            f"relay into a {link.noun}; expected --environment {relaying}{instead}"
        ]
    if not backplane.link_names(servers):
        return [f"--target {fault.target} with {servers} server: there is no link; expected --servers 2 or more"]
    return []
