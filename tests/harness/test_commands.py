"""What the commands refuse, and how they end. They run in this process, which saves a second each."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from click.testing import Result
from typer.testing import CliRunner

from harness.commands import app
from harness.model.capacity import CapacityPlan
from harness.model.errors import UsageError
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION
from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run


def command(*arguments: str) -> Result:
    """Runs the command in this process."""
    return CliRunner().invoke(app, arguments, prog_name="harness", env={"COLUMNS": "200", "HARNESS_TOKEN": ""})


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
    """Preflight on a made-up machine. A search that begins raises an error with "it began"."""
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
    """The exit code is 2 and the message names the limit. With --force the search begins."""
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
    """A number that the search cannot keep is refused with exit code 2."""
    with small_machine():
        shown = command("capacity", "scenario-a", *arguments, "--out", str(tmp_path))
    assert shown.exit_code == 2
    assert word in shown.stderr


@pytest.mark.parametrize("vary", ["rate", "clients", "audience"])
@pytest.mark.parametrize("scenario", ["scenario-b", "scenario-c"])
def test_the_command_that_repeats_a_search_is_accepted(scenario: str, vary: str, tmp_path: Path) -> None:
    """The command line accepts the command and makes the same search. This also holds for a scenario with faults and
    for a sweep."""
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
    """The message says what was expected and what was found. The exit code is 2, and nothing is in the results
    folder."""
    if arguments[0] in ("run", "plan"):
        arguments = (*arguments, "--out", str(tmp_path / "results"))
    shown = command(*arguments)
    assert shown.exit_code == 2, shown
    for word in words:
        assert word in shown.stderr + shown.stdout
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "results").exists()


def test_judge_writes_outputs_from_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output files of a run can be written again at any time. They hold the new verdict of `judge`."""
    from harness import any_folder

    folder = a_run(tmp_path, "a")
    monkeypatch.setattr(any_folder, "judge_folder", lambda run: verdicts.failed())
    target = tmp_path / "out.xml"
    shown = command("judge", str(folder), "--junit", str(target))
    assert shown.exit_code == 1, shown.output
    assert '<property name="verdict" value="fail"' in target.read_text()


def test_prove_refuses_a_file_that_it_cannot_write(tmp_path: Path) -> None:
    """The refusal comes before a series that takes minutes."""
    shown = command("prove", "--junit", str(tmp_path), "--out", str(tmp_path))
    assert shown.exit_code == 2
    assert "--junit" in shown.output
