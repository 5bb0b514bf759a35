"""From the options of a command to the request that they make."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS
from harness.model.scenario import Size
from harness.option_parsers import named, parse_audience, parse_servers, parse_target
from harness.options import (
    AudienceOption,
    Backplane,
    BackplaneSettings,
    CaFile,
    ClientProtocol,
    Clients,
    Duration,
    Engine,
    Environment,
    FailFast,
    FaultOption,
    Force,
    Insecure,
    MessagesTable,
    Outage,
    PilotOption,
    Placement,
    Rate,
    Recovery,
    Repeat,
    Seed,
    Server,
    ServerModule,
    Servers,
    SizeOption,
    SynchronousCommit,
    TargetOption,
    WritePath,
)
from harness.planning.request import PLACEMENTS, RECOVERIES, SWITCH, Request

if TYPE_CHECKING:
    from harness.planning.matrix_planner import MatrixRequest


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


def _server_counts(text: str | None) -> dict[str, Any]:
    """The fields of a Request that ``--servers`` fills: one number is a run's, several are a sweep's."""
    counts = () if text is None else parse_servers(text)
    return {"servers": counts[0]} if len(counts) == 1 else {"server_counts": counts}


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
        audience=None if audience is None else parse_audience(audience),
        target=None if target is None else parse_target(target),
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
            server_counts=() if servers is None else parse_servers(servers),
            audience=None if audience is None else parse_audience(audience),
            rate_hz=rate,
            duration_s=duration,
            **others,
        ),
    )
