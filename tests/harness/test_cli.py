"""The command line through the real program, as a new user sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import with_live_port


def harness(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def test_help_names_every_command_and_the_exit_codes() -> None:
    """A user needs only `harness --help` to find the commands."""
    shown = harness("--help")
    assert shown.returncode == 0
    for word in ("list", "doctor", "plan", "run", "judge", "report", "up", "down", "prove", "3 unknown"):
        assert word in shown.stdout


def test_heavy_packages_are_not_imported_for_help() -> None:
    """Help, version and usage errors must answer quickly."""
    code = (
        "import sys, harness.commands\n"
        "heavy = {'numpy', 'matplotlib', 'aiohttp', 'asyncpg', 'picows', 'rich', 'jinja2', 'redis', 'msgspec', 'docker'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_load_that_cannot_fit_is_refused_with_what_it_would_need(tmp_path: Path) -> None:
    """10 million deliveries/s are refused before the start with exit code 2. The message gives the cores, the memory
    and the descriptors that they need."""
    shown = harness(
        *("run", "scenario-a", "--clients", "10000", "--rate", "1000", "--audience", "all"),
        *("--out", str(tmp_path / "results")),
    )
    assert shown.returncode == 2
    for word in ("10,000,000 deliveries/s", "cores", "GB of memory", "descriptors", "--force"):
        assert word in shown.stderr
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_noticed_before_the_start(tmp_path: Path) -> None:
    """A file is in the place of the results folder. The exit code is 2, the message names the path, and nothing is
    started."""
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
    """`list` shows each scenario, and `list --json` gives the same to programs."""
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
    """Without a port the harness takes any free one."""
    assert with_live_port(arguments) == read
