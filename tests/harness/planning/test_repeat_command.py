"""The command that repeats a run."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from harness.model.capacity import CapacityPlan, Vary
from harness.options import LimitMs, Scenario, VaryOption
from harness.planning.capacity_planner import as_step_request, capacity_objections, plan_capacity, step_plan
from harness.planning.repeat_command import repeat_command
from harness.planning.request import Request
from harness.request_options import takes_request
from tests.harness.planning.test_pilot import piloted, plan_of
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import a_plan


def test_every_number_is_given() -> None:
    """With all numbers given, sizing and pilots change nothing in the repetition."""
    command = repeat_command("scenario-a", a_plan(clients=40, audience=20, rate_hz=12.5))
    for option, value in (("--clients", "40"), ("--audience", "20"), ("--rate", "12.5"), ("--servers", "2")):
        assert command[command.index(option) + 1] == value


def test_the_command_of_a_piloted_run_has_the_size_that_was_measured() -> None:
    """Pilots change the command together with the plan."""
    plan = piloted(plan_of(Request()), true_cost=2.0)
    assert plan.command == repeat_command("scenario-a", plan)


def test_numbers_are_repeated_exactly() -> None:
    """No digit is lost."""
    command = repeat_command("scenario-a", a_plan(rate_hz=1_234.5678, duration_s=1_000_000.0))
    assert command[command.index("--rate") + 1] == "1234.5678"
    assert command[command.index("--duration") + 1] == "1000000"


def test_a_load_that_pilots_raised_beyond_the_prediction_is_repeated_with_force() -> None:
    """The prediction would refuse the load, although the pilots found room for it."""
    raised = piloted(plan_of(Request()), true_cost=0.1)
    assert raised.need.cores > 1.25 * MACHINE.cores
    assert raised.command[-1] == "--force"
    assert "--force" not in piloted(plan_of(Request()), true_cost=1.0).command


def request_of(arguments: Sequence[str]) -> Request:
    """The request that the command line makes of ``arguments``, for a command that plans a run."""
    asked: list[Request] = []
    app = typer.Typer()

    @takes_request
    def command(scenario: Scenario, request: Request, vary: VaryOption = Vary.RATE, limit_ms: LimitMs = 100.0) -> None:
        asked.append(request)

    app.command()(command)
    shown = CliRunner().invoke(app, list(arguments))
    assert shown.exit_code == 0, shown.output
    return asked[0]


@pytest.mark.parametrize("vary", Vary)
@pytest.mark.parametrize("scenario", ["scenario-a", "scenario-b"])
@pytest.mark.parametrize(
    "request_", [Request(), Request(clients=500, audience="all"), Request(clients=500, audience=500, rate_hz=20)]
)
def test_the_command_of_a_capacity_search_gives_the_same_search(request_: Request, scenario: str, vary: Vary) -> None:
    """The real command line parses the command and the real planner plans it. There is no objection."""
    if request_.audience == "all" and vary is Vary.AUDIENCE:
        request_ = replace(request_, audience=None)

    def search(request: Request) -> CapacityPlan:
        return plan_capacity(plan_of(as_step_request(request), scenario), vary, 72.5, MACHINE).plan

    first = search(request_)
    name, *arguments = first.plan.command
    assert name == "capacity"
    assert arguments[-4:] == ["--vary", vary.value, "--limit-ms", "72.5"]
    request = request_of(arguments)
    assert capacity_objections(request, vary, 72.5, is_sweep=False) == ()
    second = search(request)
    assert second.plan.command == first.plan.command
    assert replace(second, plan=first.plan) == first
    for number in (1, 2):
        one, other = (step_plan(each, number, first.start, MACHINE) for each in (first, second))
        assert replace(other, reductions=one.reductions, asked_audience=one.asked_audience) == one


def test_how_certificates_were_verified_is_repeated() -> None:
    """The command also repeats the addresses of the cluster, but not the number of servers."""
    urls = ("https://a.example", "https://b.example/chat")
    command = repeat_command("scenario-a", a_plan(server_urls=urls, ca_file="authority.pem"))
    assert command[-6:] == ("--server", urls[0], "--server", urls[1], "--ca", "authority.pem")
    assert repeat_command("scenario-a", a_plan(server_urls=urls, insecure=True))[-1] == "--insecure"


def test_what_is_not_the_default_is_repeated() -> None:
    command = repeat_command("scenario-a", a_plan(placement="local", synchronous_commit=False))
    assert command[command.index("--placement") + 1] == "local"
    assert command[command.index("--synchronous-commit") + 1] == "off"
    assert "--placement" not in repeat_command("scenario-a", a_plan())
