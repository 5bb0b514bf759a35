"""A kind of broker, a backplane and an environment that exist only in test code. No module of the harness changes for
them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ("scenario-a", "--size", "smoke", "--duration", "1", "--clients", "8", "--audience", "4", "--rate", "20")
MADE_UP = (
    *("--servers", "2", "--backplane", "relay", "--environment", "nursery"),
    *("--server-module", "tests.reference_server.made_up_server"),
)


def harness(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line with the extension of `tests.seams.relay`."""
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "HARNESS_EXTENSIONS": "tests.seams.relay"},
    )


@pytest.mark.integration
def test_a_made_up_broker_backplane_and_environment_carry_a_run(tmp_path: Path) -> None:
    """Every delivery crosses the made-up broker. The recording has its process, its settings and its counters."""
    ended = harness("run", *SMALL, *MADE_UP, "--out", str(tmp_path), "--force", "--json")
    verdict = json.loads(ended.stdout)
    statuses = {finding["check"]: finding["status"] for finding in verdict["findings"]}
    assert (statuses["lost"], statuses["order"], statuses["phantom"]) == ("pass", "pass", "pass"), ended.stderr
    assert "the nursery opens" in ended.stderr
    run = tmp_path / "scenario-a" / "latest"
    assert json.loads((run / "machine.json").read_text())["cluster"]["broker"]["program"] == "relay"
    samples = [json.loads(line) for line in (run / "telemetry.jsonl").read_text().splitlines()]
    assert any("broker" in sample["processes"] and "broker" in sample for sample in samples)


def test_the_command_line_reads_the_registries(tmp_path: Path) -> None:
    """Help, refusals of unknown names and refusals of faults name the made-up members."""
    words = harness("run", "--help").stdout
    assert "lines through a relay" in " ".join(words.replace("│", " ").split())
    unknown = harness("plan", "scenario-a", "--backplane", "smoke-signals")
    assert unknown.returncode == 2
    assert "relay" in unknown.stderr
    refused = harness("plan", "scenario-b", *MADE_UP, "--fault", "stop", "--out", str(tmp_path))
    assert refused.returncode == 2
    assert "--environment nursery cannot; it can pause" in refused.stderr


def test_a_broken_extension_is_a_usage_error() -> None:
    """The message names the variable, the module and the reason."""
    ended = subprocess.run(
        [sys.executable, "-m", "harness.cli", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HARNESS_EXTENSIONS": "tests.seams.no_such_module"},
    )
    assert ended.returncode == 2
    assert (
        "HARNESS_EXTENSIONS: expected modules that can be imported, found 'tests.seams.no_such_module'" in ended.stderr
    )
