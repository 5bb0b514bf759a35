"""Runs in containers, as a user starts them. They pass, and nothing is left in the engine after an interrupt, a kill or
the death of a container."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.watched_run import LIMIT_S, WHOLE, Run
from tests.harness.environments.docker.engine import kill, things_of

pytestmark = pytest.mark.integration


def run_id_of(run: Run) -> str:
    return str(json.loads((run.folder() / "plan.json").read_text())["plan"]["run_id"])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts runs in containers. The fixture interrupts a run that is still alive after its test."""
    runs: list[Run] = []

    def begin(*options: str) -> Run:
        runs.append(Run(tmp_path / "results", "--environment", "docker", *options, program=WHOLE))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGINT)
            run.end()


@pytest.mark.docker
def test_a_run_passes(start: Callable[..., Run]) -> None:
    """A run in containers passes. Its recording names the versions, the network path and the clock."""
    run = start("--duration", "3")
    assert run.end() == 0, run.errors
    versions = json.loads((run.folder() / "machine.json").read_text())["cluster"]["versions"]
    assert {"docker", "path", "clock", "postgres:17", "redis:8"} <= set(versions)
    assert {path.name for path in (run.folder() / "logs").glob("server-*.log")} >= {"server-1.log", "server-2.log"}
    assert things_of(run_id_of(run)) == []


@pytest.mark.docker
@pytest.mark.parametrize(("phase", "times"), [("start", 1), ("measure", 3)])
def test_ctrl_c(start: Callable[..., Run], phase: str, times: int) -> None:
    """The exit code is 5 and everything is removed, also when Ctrl-C is pressed again during the removal."""
    run = start()
    run.wait_for(phase)
    if phase == "start":
        while not things_of(run_id_of(run)):
            time.sleep(0.05)
    for _ in range(times):
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert run.end() == 5, run.errors
    assert "Traceback" not in run.errors
    assert things_of(run_id_of(run)) == []
    assert run.survivors() == []


@pytest.mark.docker
def test_what_a_killed_run_leaves_goes_with_down(start: Callable[..., Run]) -> None:
    """After SIGKILL the harness can do nothing. `harness down` removes the containers and keeps their logs."""
    run = start()
    run.wait_for("measure")
    run.process.kill()
    run.end()
    run_id = run_id_of(run)
    assert len(things_of(run_id)) == 5
    down = [sys.executable, "-m", "harness.cli", "down"]
    removed = subprocess.run(down, capture_output=True, text=True, timeout=LIMIT_S)
    assert removed.returncode == 0, removed.stderr
    assert f"removed 4 containers and 1 networks of run {run_id}, left behind by a dead run" in removed.stdout
    assert things_of(run_id) == []
    assert "ready on" in (run.folder() / "logs" / "server-1.log").read_text()


@pytest.mark.docker
def test_a_container_that_dies_ends_the_run(start: Callable[..., Run]) -> None:
    """The exit code is 4. The message names the container, how it ended, and the end of its log. Nothing is left in the
    engine."""
    run = start()
    run.wait_for("measure")
    kill(run_id_of(run), "broker")
    assert run.end() == 4, run.errors
    assert "broker ended unexpectedly: exit code 137 (SIGKILL)" in run.errors
    assert "last lines of its log" in run.errors
    assert things_of(run_id_of(run)) == []


@pytest.mark.docker
def test_up_and_down_in_containers() -> None:
    """`up --detach` returns when the containers answer. `down` removes them."""
    harness = [sys.executable, "-m", "harness.cli"]
    up = subprocess.run(
        [*harness, "up", "--environment", "docker", "--detach"], capture_output=True, text=True, timeout=100
    )
    assert up.returncode == 0, up.stderr
    try:
        assert "2 servers are up" in up.stdout
        assert things_of("playground")
    finally:
        down = subprocess.run([*harness, "down"], capture_output=True, text=True, timeout=LIMIT_S)
    assert "stopped the cluster" in down.stdout
    assert things_of("playground") == []


def test_no_engine(tmp_path: Path) -> None:
    """The exit code is 4. One message gives the engine's address, the reason, and what to do."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "harness.cli", "run", "scenario-a", "--size", "smoke", "--force"),
            *("--environment", "docker", "--out", str(tmp_path / "results")),
        ],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"},
    )
    assert ended.returncode == 4
    assert ended.stderr.count("no Docker engine answers at") == 1
    assert "no such file or directory; start it" in ended.stderr
    assert "Traceback" not in ended.stderr
