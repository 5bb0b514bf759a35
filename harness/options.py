"""The options of the commands: their names and their help, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.capacity import Vary
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS
from harness.model.fault import FaultKind, Target
from harness.model.scenario import Size
from harness.option_parsers import (
    checked,
    member_of,
    not_empty,
    one_of,
    parse_audience,
    parse_servers,
    parse_target,
    path_of,
)
from harness.planning.request import PLACEMENTS, RECOVERIES, SWITCH

Scenario = Annotated[
    str,
    typer.Argument(help="A scenario's name (see `harness list`) or a .py file that defines one.", show_default=False),
]
Servers = Annotated[
    str | None,
    typer.Option(
        callback=checked(parse_servers),
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
        callback=checked(parse_audience),
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
        callback=checked(parse_target),
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
        callback=checked(not_empty),
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
        callback=checked(not_empty),
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
        callback=checked(parse_servers),
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
