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


def test_how_certificates_were_verified_is_repeated() -> None:
    """With the addresses of the cluster, whose number is not given twice."""
    urls = ("https://a.example", "https://b.example/chat")
    command = repeat_command("scenario-a", a_plan(server_urls=urls, ca_file="authority.pem"))
    assert command[-6:] == ("--server", urls[0], "--server", urls[1], "--ca", "authority.pem")
    assert repeat_command("scenario-a", a_plan(server_urls=urls, insecure=True))[-1] == "--insecure"
