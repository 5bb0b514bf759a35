"""The options of a command become one request."""

import inspect

import typer
from typer.testing import CliRunner

from harness.model.backplane import BACKPLANES
from harness.model.fault import Target
from harness.options import Scenario
from harness.planning.matrix_planner import ALL_WRITE_PATHS
from harness.planning.request import Request
from harness.request_options import RUN_OPTIONS, matrix_request, takes_request


def requested(*options: str) -> Request:
    """The request that a command gets with these options."""
    got: list[Request] = []
    app = typer.Typer()

    @app.command()
    @takes_request
    def command(scenario: Scenario, request: Request) -> None:
        got.append(request)

    ended = CliRunner().invoke(app, ["scenario-a", *options])
    assert ended.exit_code == 0, ended.output
    return got[0]


def test_without_options_the_scenario_decides() -> None:
    """A request without options is the default request."""
    assert requested() == Request()


def test_one_number_of_servers_is_a_run_and_several_are_a_sweep() -> None:
    assert (requested("--servers", "4").servers, requested("--servers", "4").server_counts) == (4, ())
    assert (requested("--servers", "2,4").servers, requested("--servers", "2,4").server_counts) == (None, (2, 4))


def test_each_option_reaches_its_field() -> None:
    """Texts arrive as the values that they mean."""
    request = requested(
        *("--rate", "50", "--duration", "3", "--outage", "2", "--audience", "all", "--target", "redis"),
        *("--server", "http://127.0.0.1:1", "--server", "http://127.0.0.1:2", "--backplane-setting", "a=b"),
    )
    assert (request.rate_hz, request.duration_s, request.outage_s) == (50.0, 3.0, 2.0)
    assert (request.audience, request.target) == ("all", Target.BROKER)
    assert request.server_urls == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert request.backplane_settings == ("a=b",)


def test_a_command_keeps_its_own_options_and_gets_those_of_a_run() -> None:
    """The options of a run stand where the command takes its request."""

    def command(scenario: str, request: Request, own: bool = False) -> None: ...

    names = list(inspect.signature(takes_request(command)).parameters)
    assert names == ["scenario", *(option.name for option in RUN_OPTIONS), "own"]


def test_a_matrix_without_options_compares_everything() -> None:
    """Names with commas between them choose some."""
    others = {"repeat": 1, "servers": None, "audience": None, "rate": None, "duration": None}
    whole = matrix_request(backplanes=None, write_paths=None, **others)
    assert (whole.backplanes, whole.write_paths) == (BACKPLANES.names, ALL_WRITE_PATHS)
    some = matrix_request(backplanes="redis, kafka", write_paths="db-first", **(others | {"servers": "2,4"}))
    assert (some.backplanes, some.write_paths, some.base.server_counts) == (("redis", "kafka"), ("db-first",), (2, 4))
