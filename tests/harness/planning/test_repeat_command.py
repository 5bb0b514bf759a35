"""The command that repeats a run."""

from harness.planning.repeat_command import repeat_command
from harness.planning.request import Request
from tests.harness.planning.test_pilot import piloted, plan_of
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


def test_what_is_not_the_default_is_repeated() -> None:
    command = repeat_command("scenario-a", a_plan(placement="local", synchronous_commit=False))
    assert command[command.index("--placement") + 1] == "local"
    assert command[command.index("--synchronous-commit") + 1] == "off"
    assert "--placement" not in repeat_command("scenario-a", a_plan())
