"""The options of the commands: names, help, and the checks while they are read."""

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.capacity import Vary
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.component import COMPONENT_KINDS
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS
from harness.model.fault import FaultKind, Target
from harness.model.registry import M, Registry
from harness.model.scenario import Audience, Size
from harness.planning.request import PLACEMENTS, RECOVERIES, SWITCH, Request

if TYPE_CHECKING:
    from harness.planning.matrix_planner import MatrixRequest


def checked(parse: Callable[[str], object]) -> Callable[[str | None], str | None]:
    """Asks ``parse`` while the option is read, so that its error names the option, and keeps the text."""

    def check(text: str | None) -> str | None:
        if text is not None:
            parse(text)
        return text

    return check


def _something(text: str) -> None:
    """An empty value comes from a script whose variable is empty, so it is an error and not the default."""
    if not text.strip():
        raise typer.BadParameter("expected a value, found none; leave the option out if there is none")


def path_of(given: str | Path) -> Path:
    """Without this an empty text would be the current folder. ``given`` is a Path where it is the default."""
    _something(str(given))
    return Path(given)


def _parse_audience(text: str) -> Audience:
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"expected a number of clients or 'all', found {text!r}") from None


def _parse_servers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"expected a number, or numbers with commas between them, found {text!r}") from None


def _server_counts(text: str | None) -> dict[str, Any]:
    """The fields of a Request that ``--servers`` fills: one number is a run's, several are a sweep's."""
    counts = () if text is None else _parse_servers(text)
    return {"servers": counts[0]} if len(counts) == 1 else {"server_counts": counts}


def _parse_target(text: str) -> Target:
    """A role, or the kind of component that has it."""
    kind = COMPONENT_KINDS.find(text) or next((each for each in COMPONENT_KINDS if text in each.schemes), None)
    try:
        return Target(kind.role if kind is not None else text)
    except ValueError:
        kinds = ", ".join(each.name for each in COMPONENT_KINDS)
        raise typer.BadParameter(f"expected one of {', '.join(Target)} (or {kinds}), found {text!r}") from None


def member_of(registry: Registry[M]) -> Callable[[str], str]:
    """Asks the registry when the option is read: an extension may have added members."""
    return lambda value: one_of(registry.names)(value)


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise typer.BadParameter(f"expected one of {', '.join(known)}, found {value!r}")
        return value

    return check


Scenario = Annotated[
    str,
    typer.Argument(help="A scenario's name (see `harness list`) or a .py file that defines one.", show_default=False),
]
Servers = Annotated[
    str | None,
    typer.Option(
        callback=checked(_parse_servers),
        metavar="N|N,N,…",
        help="Number of servers; several, with commas, for the runs of a sweep (scenario-c).",
        show_default="the scenario's",
    ),
]
Clients = Annotated[
    int | None,
    typer.Option(
        help="WebSocket clients, over all servers; in a sweep, of the largest run.", show_default="the scenario's"
    ),
]
Rate = Annotated[
    float | None, typer.Option(help="Messages per second, over all servers.", show_default="the scenario's")
]
Duration = Annotated[
    float | None,
    typer.Option(help="Seconds measured, after the warm-up.", show_default="the scenario's; 30 with --target clients"),
]
AudienceOption = Annotated[
    str | None,
    typer.Option(
        "--audience",
        callback=checked(_parse_audience),
        metavar="N|all",
        help="Clients subscribed to one channel; 'all' puts every client on one channel.",
        show_default="the scenario's",
    ),
]
SizeOption = Annotated[
    Size,
    typer.Option(
        "--size",
        help="full: the scenario's own numbers. fit: the same, lowered (audience, then clients, then rate) until they "
        "fit this machine. smoke: seconds on any machine. Numbers given by options are never changed.",
    ),
]
Environment = Annotated[
    str,
    typer.Option(
        callback=member_of(ENVIRONMENTS),
        metavar="|".join(ENVIRONMENTS.names),
        help=" ".join(f"{each.name}: {each.title}." for each in ENVIRONMENTS),
    ),
]
Backplane = Annotated[
    str,
    typer.Option(
        callback=member_of(BACKPLANES),
        metavar="NAME",
        help="What carries a message from server to server. "
        + " ".join(f"{each.name}: {each.title}." for each in BACKPLANES),
    ),
]
BackplaneSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--backplane-setting",
        metavar="KEY=VALUE",
        help="A setting of the backplane; repeat for each. "
        + " ".join(f"{each.name}: {'; '.join(map(str, each.settings))}." for each in BACKPLANES if each.settings),
        show_default=False,
    ),
]
WritePath = Annotated[
    str,
    typer.Option(
        callback=member_of(WRITE_PATHS),
        metavar="NAME",
        help="What an acknowledgement promises. " + " ".join(f"{each.name}: {each.promise}." for each in WRITE_PATHS),
    ),
]
Seed = Annotated[
    int, typer.Option(help="Seed of the schedule: with the same seed the run posts the same messages.", min=0)
]
FaultOption = Annotated[
    FaultKind | None,
    typer.Option(
        "--fault",
        help="The fault that is injected into the target during the run.",
        show_default="the scenario's",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        callback=checked(_parse_target),
        metavar="|".join(Target),
        help="What the fault is injected into. broker and database may be named by their kind. server: one, "
        "drawn from the seed. clients: one in a hundred stops reading (--fault pause). link, links: one connection "
        "of the backplane, drawn from the seed, or all ("
        + ", ".join(f"{each.name}: {' '.join(each.breakable.faults)}" for each in BACKPLANES if each.breakable)
        + ").",
        show_default="the scenario's",
    ),
]
Outage = Annotated[
    float | None,
    typer.Option(help="Seconds until the fault is healed.", show_default="the scenario's: after the last post"),
]
Recovery = Annotated[
    str,
    typer.Option(
        callback=one_of(RECOVERIES),
        metavar="|".join(RECOVERIES),
        help="Recovery of messages that the backplane lost. automatic: by the servers. manual: the servers wait for a "
        "re-broadcast request, which the harness makes at the end. off: none, to see the checks turn red.",
    ),
]
Placement = Annotated[
    str,
    typer.Option(
        callback=one_of(PLACEMENTS),
        metavar="|".join(PLACEMENTS),
        help="The servers of the clients of one channel. spread: all servers. local: as few servers as balance allows, "
        "which shows how many messages a backplane brings to servers that do not need them.",
    ),
]
SynchronousCommit = Annotated[
    str,
    typer.Option(
        "--synchronous-commit",
        callback=one_of(SWITCH),
        metavar="|".join(SWITCH),
        help="Whether PostgreSQL flushes a COMMIT to disk before it confirms it. off: a reference; a crash of "
        "PostgreSQL loses acknowledged messages.",
    ),
]
ServerModule = Annotated[
    str,
    typer.Option(
        metavar="MODULE",
        help="Your own server instead of the reference server (embedded only): a Python module that accepts "
        "--settings FILE and speaks docs/protocol.md.",
    ),
]
MessagesTable = Annotated[
    str | None,
    typer.Option(
        callback=checked(_something),
        metavar="TABLE",
        help="The table of messages (columns channel, seq, text) that the audit reads, if the servers are not the "
        "reference server; without it the audit asks the servers for their history.",
    ),
]
ClientProtocol = Annotated[
    str,
    typer.Option(
        "--protocol",
        callback=member_of(CLIENT_PROTOCOLS),
        metavar="NAME",
        help="The protocol between clients and servers. "
        + " ".join(f"{each.name}: {each.title}." for each in CLIENT_PROTOCOLS),
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        callback=member_of(ENGINES),
        metavar="NAME",
        help="The engine that runs the load generator. " + " ".join(f"{each.name}: {each.title}." for each in ENGINES),
    ),
]
Repeat = Annotated[int, typer.Option(help="How often a sweep runs each of its points.", min=1)]
Server = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Address of one external server; repeat for each. The token is read from HARNESS_TOKEN.",
        show_default=False,
    ),
]
CaFile = Annotated[
    str | None,
    typer.Option(
        "--ca",
        callback=checked(_something),
        metavar="FILE",
        help="Certificates of authorities (PEM). The harness verifies https:// servers with them instead of the system's.",
        show_default=False,
    ),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Accept any certificate of https:// servers; the report says so.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Run even if it does not fit this machine or another run is in progress.")
]
FailFast = Annotated[
    bool,
    typer.Option(
        "--fail-fast",
        help="End the run at the first delivery that is always wrong: a message that was never posted, a changed text, "
        "a message of another channel.",
    ),
]
PilotOption = Annotated[
    bool,
    typer.Option(
        "--pilot/--no-pilot",
        help="With --size fit: try the chosen size for a few seconds and change it until the machine has room, or use "
        "only the prediction.",
    ),
]


def named(text: str) -> tuple[str, ...]:
    """The names in ``text``, which has commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


Backplanes = Annotated[
    str | None,
    typer.Option(
        "--backplanes",
        "--only",
        metavar="NAME[:KEY=VALUE],…",
        help="The backplanes to compare, with settings that are not the defaults, e.g. postgres-poll:interval_ms=10.",
        show_default="all",
    ),
]
WritePaths = Annotated[
    str | None,
    typer.Option(
        "--write-paths",
        metavar="NAME,NAME,…",
        help="The write paths that are compared: the first on every backplane, each other one on the first backplane "
        "that it can use. db-first:synchronous_commit=off is a reference.",
        show_default="all, and that reference",
    ),
]
Scenarios = Annotated[
    str,
    typer.Option(
        "--scenarios",
        metavar="NAME,NAME,…",
        help="The scenarios of the matrix; a means scenario-a.",
    ),
]
CellRepeat = Annotated[int, typer.Option("--repeat", help="How often each cell is run.", min=1)]
MatrixServers = Annotated[
    str | None,
    typer.Option(
        "--servers",
        callback=checked(_parse_servers),
        metavar="N,N,…",
        help="Numbers of servers of a scaling scenario; the others keep their own.",
        show_default="2,4,8; the scenario's with --size smoke",
    ),
]
OnlyPlan = Annotated[bool, typer.Option("--plan", help="Show what would run, and how long it takes, and exit.")]
VaryOption = Annotated[
    Vary,
    typer.Option(
        "--vary", help="The number to vary. Options give the other numbers; without an option sizing chooses them."
    ),
]
LimitMs = Annotated[float, typer.Option("--limit-ms", help="The limit of the P99 delivery latency.")]
LivePort = Annotated[
    int | None,
    typer.Option(
        "--live",
        metavar="PORT",
        min=0,
        max=65_535,
        help="Show the run on a web page while it works, on loopback at this port; 0 for any free port.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print only the result, as JSON, on standard output.")]
NoReport = Annotated[
    bool, typer.Option("--no-report", help="Write no HTML report; `harness report RUN` writes it later.")
]
Out = Annotated[Path, typer.Option(help="Folder for results.", parser=path_of, metavar="FOLDER")]
Run = Annotated[
    Path,
    typer.Argument(
        help="A run's folder, e.g. results/scenario-a/latest.", show_default=False, parser=path_of, metavar="RUN"
    ),
]


def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


RUN_OPTIONS = (
    parameter("servers", Servers, None),
    parameter("clients", Clients, None),
    parameter("rate", Rate, None),
    parameter("duration", Duration, None),
    parameter("audience", AudienceOption, None),
    parameter("size", SizeOption, Size.FIT),
    parameter("environment", Environment, ENVIRONMENTS.default.name),
    parameter("backplane", Backplane, BACKPLANES.default.name),
    parameter("backplane_setting", BackplaneSettings, None),
    parameter("write_path", WritePath, WRITE_PATHS.default.name),
    parameter("seed", Seed, 1),
    parameter("fault", FaultOption, None),
    parameter("target", TargetOption, None),
    parameter("outage", Outage, None),
    parameter("recovery", Recovery, RECOVERIES[0]),
    parameter("placement", Placement, PLACEMENTS[0]),
    parameter("synchronous_commit", SynchronousCommit, SWITCH[0]),
    parameter("server_module", ServerModule, REFERENCE_SERVER),
    parameter("messages_table", MessagesTable, None),
    parameter("protocol", ClientProtocol, CLIENT_PROTOCOLS.default.name),
    parameter("engine", Engine, ENGINES.default.name),
    parameter("repeat", Repeat, 1),
    parameter("server", Server, None),
    parameter("ca_file", CaFile, None),
    parameter("insecure", Insecure, False),
    parameter("force", Force, False),
    parameter("pilot", PilotOption, True),
    parameter("fail_fast", FailFast, False),
)
"""The options that define a run, the same for every command that plans one."""


def takes_request(command: Callable[..., None]) -> Callable[..., None]:
    """``command(scenario, request, …)`` as a command with RUN_OPTIONS in the place of ``request``.

    typer reads a function's signature and annotations, so both are written here.
    """
    own = inspect.signature(command).parameters
    mine = [parameter for name, parameter in own.items() if name != "request"]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        options = {parameter.name: values.pop(parameter.name) for parameter in RUN_OPTIONS}
        command(request=_as_request(**options), **values)

    parameters = [*mine[:1], *RUN_OPTIONS, *mine[1:]]
    wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # a function may have one
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def _as_request(
    *,
    servers: str | None,
    audience: str | None,
    server: Sequence[str] | None,
    backplane_setting: Sequence[str] | None,
    rate: float | None,
    duration: float | None,
    outage: float | None,
    target: str | None,
    ca_file: str | None,
    messages_table: str | None,
    **others: Any,
) -> Request:
    """``others`` are fields of Request as they are."""
    return Request(
        **_server_counts(servers),
        audience=None if audience is None else _parse_audience(audience),
        target=None if target is None else _parse_target(target),
        server_urls=tuple(server or ()),
        backplane_settings=tuple(backplane_setting or ()),
        rate_hz=rate,
        duration_s=duration,
        outage_s=outage,
        ca_file=ca_file or "",
        messages_table=messages_table or "",
        **others,
    )


def matrix_request(
    *,
    backplanes: str | None,
    write_paths: str | None,
    repeat: int,
    servers: str | None,
    audience: str | None,
    rate: float | None,
    duration: float | None,
    **others: Any,
) -> "MatrixRequest":
    """The options of `harness matrix` as a value; ``others`` are fields of Request as they are."""
    from harness.planning.matrix_planner import ALL_WRITE_PATHS, MatrixRequest

    return MatrixRequest(
        backplanes=BACKPLANES.names if backplanes is None else named(backplanes),
        write_paths=ALL_WRITE_PATHS if write_paths is None else named(write_paths),
        repeat=repeat,
        base=Request(
            server_counts=() if servers is None else _parse_servers(servers),
            audience=None if audience is None else _parse_audience(audience),
            rate_hz=rate,
            duration_s=duration,
            **others,
        ),
    )
