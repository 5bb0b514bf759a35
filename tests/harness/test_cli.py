"""The command line as a stranger meets it: through the real program, and where there are many cases, through its commands
in this process, which saves a second for each."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from click.testing import Result
from typer.testing import CliRunner

from harness.cli import with_live_port
from harness.commands import app
from harness.model.capacity import CapacityPlan
from harness.model.errors import UsageError
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION


def harness(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def command(*arguments: str) -> Result:
    """The same commands in this process."""
    return CliRunner().invoke(app, arguments, prog_name="harness", env={"COLUMNS": "200", "HARNESS_TOKEN": ""})


def test_help_names_every_command_and_the_exit_codes() -> None:
    """`harness --help` is enough to find the way."""
    shown = harness("--help")
    assert shown.returncode == 0
    for word in ("list", "doctor", "plan", "run", "judge", "report", "up", "down", "prove", "3 unknown"):
        assert word in shown.stdout


@pytest.mark.parametrize(
    "name",
    [
        "list",
        "doctor",
        "plan",
        "run",
        "judge",
        "report",
        "up",
        "down",
        "prove",
        "capacity",
        "matrix",
        "compare",
        "trend",
        "baseline",
    ],
)
def test_every_command_explains_itself(name: str) -> None:
    """Each command has a help text."""
    shown = command(name, "--help")
    assert shown.exit_code == 0
    assert "Usage: harness" in shown.stdout


def small_machine(**limits: int) -> ExitStack:
    """Preflight on a made-up machine; a search that begins all the same ends the test."""
    stack = ExitStack()
    found = replace(MACHINE, **limits)
    stack.enter_context(mock.patch("harness.preflight.read_limits", return_value=found))
    stack.enter_context(mock.patch("harness.preflight.calibrate", return_value=CALIBRATION))
    stack.enter_context(mock.patch("harness.capacity_experiment.run_capacity", side_effect=UsageError("it began")))
    return stack


SEARCH = ("capacity", "scenario-a", "--clients", "40000", "--audience", "20", "--rate", "10")


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        ({"memory_available_bytes": 10**9}, "memory: needs"),
        ({"nofile_hard": 8_000}, "descriptors: needs"),
        ({"ephemeral_ports": 8_000}, "ports: needs"),
    ],
)
def test_a_capacity_search_that_does_not_fit_is_refused(limits: dict[str, int], word: str, tmp_path: Path) -> None:
    """Exit code 2 with the limit, unless it is forced."""
    with small_machine(**limits):
        shown = command(*SEARCH, "--out", str(tmp_path))
        forced = command(*SEARCH, "--out", str(tmp_path), "--force")
    assert shown.exit_code == 2
    assert word in shown.stderr
    assert "--force" in shown.stderr
    assert "it began" not in shown.stderr
    assert "it began" in forced.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--rate", "0.5"), "--rate 0.5 with --vary rate"),
        (("--duration", "0"), "--duration 0"),
        (("--vary", "audience", "--audience", "all"), "--audience all"),
    ],
)
def test_a_capacity_search_changes_no_number_that_was_given(
    arguments: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    """What it cannot keep is refused, with exit code 2."""
    with small_machine():
        shown = command("capacity", "scenario-a", *arguments, "--out", str(tmp_path))
    assert shown.exit_code == 2
    assert word in shown.stderr


@pytest.mark.parametrize("vary", ["rate", "clients", "audience"])
@pytest.mark.parametrize("scenario", ["scenario-b", "scenario-c"])
def test_the_command_that_repeats_a_search_is_accepted(scenario: str, vary: str, tmp_path: Path) -> None:
    """By the command itself, which gives the same search; also for a scenario with faults, or over server counts."""
    searches: list[CapacityPlan] = []

    def kept(search: CapacityPlan, **_: object) -> None:
        searches.append(search)
        raise UsageError("it began")

    with small_machine(cores=64) as stack:
        stack.enter_context(mock.patch("harness.capacity_experiment.run_capacity", kept))
        command("capacity", scenario, "--servers", "2", "--vary", vary, "--force", "--out", str(tmp_path))
        command(*searches[0].plan.command, "--out", str(tmp_path))
    first, second = searches
    assert second.plan.command == first.plan.command
    assert replace(second, plan=first.plan) == first


def test_heavy_packages_are_not_imported_for_help() -> None:
    """Help, version and usage errors answer at once: nothing heavy is imported for them."""
    code = (
        "import sys, harness.commands\n"
        "heavy = {'numpy', 'matplotlib', 'aiohttp', 'asyncpg', 'picows', 'rich', 'jinja2', 'redis', 'msgspec', 'docker'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "scenario-z"), ("unknown scenario 'scenario-z'", "scenario-a")),
        (("run", "scenario-a", "--environment", "swarm"), ("expected one of embedded", "swarm")),
        (("run", "scenario-a", "--environment", "moon"), ("'moon'", "embedded")),
        (("run", "scenario-a", "--backplane", "rabbitmq"), ("expected one of redis", "kafka")),
        (("run", "scenario-a", "--backplane", "memory"), ("--servers 1",)),
        (("run", "scenario-a", "--audience", "some"), ("'some'", "all")),
        (("run", "scenario-a", "--rate", "-5"), ("--rate -5",)),
        (("run", "scenario-a", "--clients", "many"), ("--clients",)),
        (("run", "scenario-a", "--servers", "2,4"), ("2,4", "not a sweep")),
        (("run", "scenario-a", "--servers", "2,x"), ("'2,x'",)),
        (("run", "scenario-c", "--servers", "2,4", "--rate", "100000", "--audience", "100"), ("does not fit",)),
        (("run", "scenario-c", "--servers", "2,99"), ("--servers 99",)),
        (("run", "scenario-a", "--nonsense"), ("--nonsense",)),
        (("run", "scenario-a", "--environment", "external"), ("--server http", "HARNESS_TOKEN")),
        (("plan", "scenario-a", "--clients", "10000", "--rate", "1000", "--audience", "all"), ("does not fit",)),
        (("judge", "nowhere"), ("nowhere",)),
        (("report", "nowhere"), ("nowhere",)),
        (("explode",), ("explode",)),
    ],
)
def test_what_cannot_work_is_refused_with_code_2_and_its_reason(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    """A usage error says what was expected and found, exits 2, and leaves nothing in the results folder."""
    if arguments[0] in ("run", "plan"):
        arguments = (*arguments, "--out", str(tmp_path / "results"))
    shown = command(*arguments)
    assert shown.exit_code == 2, shown
    for word in words:
        assert word in shown.stderr + shown.stdout
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "results").exists()


def test_a_load_that_cannot_fit_is_refused_with_what_it_would_need(tmp_path: Path) -> None:
    """10 million deliveries/s: refused before the start, with cores, memory and descriptors, exit 2."""
    shown = harness(
        *("run", "scenario-a", "--clients", "10000", "--rate", "1000", "--audience", "all"),
        *("--out", str(tmp_path / "results")),
    )
    assert shown.returncode == 2
    for word in ("10,000,000 deliveries/s", "cores", "GB of memory", "descriptors", "--force"):
        assert word in shown.stderr
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_noticed_before_the_start(tmp_path: Path) -> None:
    """A file where the results folder should be: exit 2, the path named, nothing started."""
    blocker = tmp_path / "results"
    blocker.write_text("not a folder")
    shown = harness("run", "scenario-a", "--size", "smoke", "--out", str(blocker / "below"))
    assert shown.returncode == 2
    assert str(blocker) in shown.stderr


def test_plan_shows_reductions_as_json() -> None:
    """`plan --json` prints one JSON object and nothing else on stdout."""
    shown = harness("plan", "scenario-a", "--json")
    document = json.loads(shown.stdout)
    assert shown.returncode == 0
    assert document["fits"] is True
    assert document["plan"]["servers"] == 4


def test_list_names_the_claim() -> None:
    """`list` shows each scenario with its falsifiable sentence; `--json` the same for programs."""
    assert "scenario-a" in harness("list").stdout
    assert json.loads(harness("list", "--json").stdout)[0]["name"] == "scenario-a"


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        (["run", "a", "--live"], ["run", "a", "--live", "0"]),
        (["run", "--live", "a"], ["run", "--live", "0", "a"]),
        (["run", "--live", "--json"], ["run", "--live", "0", "--json"]),
        (["run", "--live", "8000", "a"], ["run", "--live", "8000", "a"]),
    ],
)
def test_live_may_be_given_without_a_port(arguments: list[str], read: list[str]) -> None:
    """Without one, any free port is taken."""
    assert with_live_port(arguments) == read
