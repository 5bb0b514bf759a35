"""The options of the commands: names, help, and what is checked while they are read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.model.fault import FaultKind, Target
from harness.model.scenario import Audience, Size
from harness.planning.request import BACKPLANES, ENVIRONMENTS, RECOVERIES, WRITE_PATHS, Request


def _parse_audience(text: str) -> Audience:
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"expected a number of clients or 'all', found {text!r}") from None


def _parse_servers(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in (text or "").split(",") if text)
    except ValueError:
        raise typer.BadParameter(f"expected a number, or numbers with commas between them, found {text!r}") from None


def _server_counts(text: str | None) -> dict[str, Any]:
    """The fields of a Request that ``--servers`` fills: one number is a run's, several are a sweep's."""
    counts = _parse_servers(text)
    return {"servers": counts[0]} if len(counts) == 1 else {"server_counts": counts}


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise typer.BadParameter(f"expected one of {', '.join(known)}, found {value!r}")
        return value

    return check


def as_request(*, servers: str | None, audience: str | None, server: Sequence[str] | None, **others: Any) -> Request:
    """What `plan` and `run` were asked for; ``others`` are fields of Request as they are."""
    return Request(
        **_server_counts(servers),
        audience=None if audience is None else _parse_audience(audience),
        external_servers=len(server or ()),
        **others,
    )


Scenario = Annotated[
    str,
    typer.Argument(help="A scenario's name (see `harness list`) or a .py file that defines one.", show_default=False),
]
Servers = Annotated[
    str | None,
    typer.Option(
        callback=lambda text: text if _parse_servers(text) or text is None else None,
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
        callback=lambda text: text if text is None or _parse_audience(text) else None,
        metavar="N|all",
        help="Clients subscribed to one channel; 'all' puts every client on one channel.",
        show_default="the scenario's",
    ),
]
SizeOption = Annotated[
    Size,
    typer.Option(
        "--size",
        help="full: the scenario's own numbers. fit: the same, lowered (audience, then clients, then rate) until they fit "
        "this machine. smoke: seconds on any machine. Numbers given by options are never changed.",
    ),
]
Environment = Annotated[
    str,
    typer.Option(
        callback=one_of(ENVIRONMENTS),
        metavar="|".join(ENVIRONMENTS),
        help="embedded: everything from Python wheels on this machine. docker: containers of a Docker engine. "
        "external: a cluster that runs already (--server).",
    ),
]
Backplane = Annotated[
    str,
    typer.Option(
        callback=one_of(BACKPLANES),
        metavar="NAME",
        help="What carries a message from server to server: redis, memory.",
    ),
]
WritePath = Annotated[
    str,
    typer.Option(callback=one_of(WRITE_PATHS), metavar="NAME", help="When a message is committed: db-first."),
]
Seed = Annotated[int, typer.Option(help="Seed of the schedule: the same seed posts the same messages.", min=0)]
FaultOption = Annotated[
    FaultKind | None,
    typer.Option("--fault", help="What is done to the target in mid-run, and healed.", show_default="the scenario's"),
]
TargetOption = Annotated[
    Target | None,
    typer.Option(
        "--target",
        help="What is broken. server: one, drawn from the seed. clients: one in a hundred stops reading (--fault pause).",
        show_default="the scenario's",
    ),
]
Outage = Annotated[
    float | None,
    typer.Option(help="Seconds until it is healed.", show_default="the scenario's: when all is posted"),
]
Recovery = Annotated[
    str,
    typer.Option(
        callback=one_of(RECOVERIES),
        metavar="|".join(RECOVERIES),
        help="Who fills what the backplane lost. automatic: the servers. manual: they wait for a re-broadcast request, "
        "which the harness makes at the end. off: nobody, to see the checks turn red.",
    ),
]
ServerModule = Annotated[
    str,
    typer.Option(
        metavar="MODULE",
        help="Your own server instead of the reference server (embedded only): a Python module that is run with "
        "--settings FILE and speaks docs/protocol.md.",
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
Force = Annotated[
    bool, typer.Option("--force", help="Run although it does not fit this machine or another run is under way.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, alone, on standard output.")]
Out = Annotated[Path, typer.Option(help="Folder for results.", file_okay=False)]
Run = Annotated[
    Path, typer.Argument(help="A run's folder, e.g. results/scenario-a/latest.", show_default=False, metavar="RUN")
]
