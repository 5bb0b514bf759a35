"""The commands for a cluster that a person uses by hand: up, down, rebroadcast. `harness.commands` adds them."""

from typing import Annotated

import typer

from harness.command_errors import errors_become_exit_codes
from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.environment import ENVIRONMENTS
from harness.option_parsers import one_of
from harness.options import (
    Backplane,
    BackplaneSettings,
    CaFile,
    Insecure,
    Json,
    Recovery,
    Server,
    WritePath,
)
from harness.planning.request import RECOVERIES

PLAYABLE = tuple(each.name for each in ENVIRONMENTS if each.owns_components)


def up(
    servers: Annotated[int, typer.Option(help="Number of servers.", min=1, max=64)] = 2,
    environment: Annotated[
        str,
        typer.Option(
            callback=one_of(PLAYABLE),
            metavar="|".join(PLAYABLE),
            help=" ".join(f"{name}: {ENVIRONMENTS.get(name).title}." for name in PLAYABLE),
        ),
    ] = PLAYABLE[0],
    backplane: Backplane = BACKPLANES.default.name,
    backplane_setting: BackplaneSettings = None,
    write_path: WritePath = WRITE_PATHS.default.name,
    recovery: Recovery = RECOVERIES[0],
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is up; `harness down` ends it.")] = False,
) -> None:
    """Start a cluster for experiments by hand; it runs until Ctrl-C or `harness down`."""
    from harness.playground import bring_up

    with errors_become_exit_codes():
        bring_up(
            servers=servers,
            environment=environment,
            backplane=backplane,
            backplane_settings=tuple(backplane_setting or ()),
            write_path=write_path,
            recovery=recovery,
            detach=detach,
        )


def rebroadcast(
    server: Server = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.", show_default="all")] = None,
    ca_file: CaFile = None,
    insecure: Insecure = False,
    as_json: Json = False,
) -> None:
    """Ask servers to deliver the messages that their subscribers miss: recovery by hand after an outage of the
    backplane."""
    from harness import console
    from harness.playground import rebroadcast_by_hand

    with errors_become_exit_codes():
        found = rebroadcast_by_hand(tuple(server or ()), channel=channel, ca_file=ca_file or "", insecure=insecure)
        console.show_rebroadcast(found, as_json=as_json)


def down() -> None:
    """Stop the clusters that `harness up` started, and remove everything that killed runs left behind."""
    from harness.playground import bring_down

    with errors_become_exit_codes():
        bring_down()


def add_commands(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(rebroadcast)
    app.command()(down)
