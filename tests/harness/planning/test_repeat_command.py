"""The command that repeats a run."""

from dataclasses import replace

import pytest

from harness.commands import app
from harness.model.capacity import CapacityPlan, Vary
from harness.planning.capacity_planner import plan_capacity
from harness.planning.repeat_command import capacity_command, repeat_command
from harness.planning.request import Request
from harness.planning.sizing import shortfalls
from tests.harness.planning.test_pilot import piloted, plan_of
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import a_plan


def test_every_number_is_given() -> None:
    """So that sizing and pilots change nothing the second time."""
    command = repeat_command("scenario-a", a_plan(clients=40, audience=20, rate_hz=12.5))
    for option, value in (("--clients", "40"), ("--audience", "20"), ("--rate", "12.5"), ("--servers", "2")):
        assert command[command.index(option) + 1] == value


def test_the_command_of_a_piloted_run_has_the_size_that_was_measured() -> None:
    """Pilots keep it in step with the plan."""
    plan = piloted(plan_of(Request()), true_cost=2.0)
    assert plan.command == repeat_command("scenario-a", plan)


def test_a_size_that_pilots_raised_beyond_the_prediction_is_repeated_by_force() -> None:
    """Pilots saw that the machine has room; without --force the prediction would refuse the same size."""
    for true_cost in (0.1, 0.3):
        plan = piloted(plan_of(Request(rate_hz=1_000)), true_cost=true_cost)
        assert ("--force" in plan.command) == bool(shortfalls(plan.need, MACHINE))
    assert "--force" in piloted(plan_of(Request(rate_hz=1_000)), true_cost=0.1).command


@pytest.mark.parametrize("vary", list(Vary))
@pytest.mark.parametrize("scenario", ["scenario-a", "scenario-b"])
@pytest.mark.parametrize("audience", ["all", 20])
def test_the_command_of_a_search_asks_for_the_same_search(
    monkeypatch: pytest.MonkeyPatch, vary: Vary, scenario: str, audience: int | str
) -> None:
    """The command line takes it, and the same numbers come out, also of a scenario with faults and of all clients."""
    from typer.testing import CliRunner

    from harness import capacity_console, preflight
    from harness.exit_codes import ExitCode

    asked = Request(clients=200, rate_hz=10, audience=audience)  # type: ignore[arg-type]  # "all" or a number
    first = plan_capacity(plan_of(replace(asked, pilot=False), scenario), vary, 80.0, MACHINE)
    first = replace(first, plan=replace(first.plan, command=capacity_command(scenario, first)))
    found: list[CapacityPlan] = []

    def search(name: str, request: Request, *, vary: Vary, limit_ms: float, **_: object) -> ExitCode:
        monkeypatch.setattr(preflight, "read_limits", lambda out: MACHINE)
        monkeypatch.setattr(preflight, "calibrate", lambda: first.plan.calibration)
        monkeypatch.setattr(preflight, "_unfit", lambda out, request: [])
        found.append(preflight.prepare_capacity(name, request, vary=vary, limit_ms=limit_ms, out=None))  # type: ignore[arg-type]
        return ExitCode.PASS

    monkeypatch.setattr(capacity_console, "search", search)
    ran = CliRunner().invoke(app, list(first.plan.command))
    assert ran.exit_code == 0, ran.output
    again = found[0]
    assert (again.vary, again.limit_ms, again.start, again.floor, again.ceiling) == (
        first.vary,
        first.limit_ms,
        first.start,
        first.floor,
        first.ceiling,
    )
    assert replace(
        again.plan, run_id="", size=first.plan.size, asked_audience=0, duration_s=0, warm_up_s=0, need=first.plan.need
    ) == replace(first.plan, run_id="", asked_audience=0, duration_s=0, warm_up_s=0)
    assert again.plan.command == first.plan.command
