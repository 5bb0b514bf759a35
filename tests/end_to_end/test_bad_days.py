"""Runs that are interrupted or break. Each gives one clear message and the right exit code, leaves no process, and
keeps its recording."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.watched_run import LIMIT_S, QUICK, WHOLE, Run, environment, own_temporary_folder

pytestmark = pytest.mark.integration

SMALL = ("--clients", "20", "--audience", "10", "--rate", "50")
Start = Callable[..., Run]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A replacement for the system's temporary folder. At the end no folder of a run may be left in it."""
    with own_temporary_folder() as folder:
        yield folder
        deadline_s = time.monotonic() + 10
        while left := [path for path in folder.glob("harness-*") if path.is_dir()]:
            assert time.monotonic() < deadline_s, left
            time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path, temporary: Path) -> Iterator[Start]:
    """Starts runs. The fixture interrupts a run that is still alive after its test."""
    runs: list[Run] = []

    def begin(*options: str, out: Path = tmp_path / "results", program: tuple[str, ...] = QUICK) -> Run:
        runs.append(Run(out, *SMALL, *options, program=program, temporary=temporary))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGINT)
            run.end()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("reference_server", "server-2.json"), "server-2"),
        (("valkey-server",), "broker"),
        (("bin/postgres", "-D"), "database"),
    ],
)
def test_a_part_of_the_cluster_that_dies_ends_the_run(start: Start, words: tuple[str, ...], name: str) -> None:
    """A part is killed with SIGKILL in mid-run. The run ends with exit code 4, names the process and how it ended, and
    points to its log. The recording is kept and judged UNKNOWN."""
    run = start()
    run.wait_for("measure")
    run.find(*words).kill()
    assert run.end() == 4, run.errors
    assert f"{name} ended unexpectedly: killed by signal 9 (SIGKILL)" in run.errors
    assert "log" in run.errors
    assert run.survivors() == []
    assert json.loads((run.folder() / "verdict.json").read_text())["status"] == "unknown"
    assert (run.folder() / "report.html").exists()


@pytest.mark.parametrize("words", [("harness.load.worker",), ("harness.load.publisher",)])
def test_a_load_process_that_dies_leaves_the_verdict_open(start: Start, words: tuple[str, ...]) -> None:
    """The harness cannot know what the clients of that process saw afterwards. The verdict is UNKNOWN, with exit code
    3."""
    run = start()
    run.wait_for("measure")
    run.find(*words).kill()
    assert run.end() == 3, run.errors
    assert "of the load generator ended unexpectedly: killed by signal 9" in run.errors
    assert run.survivors() == []
    assert json.loads((run.folder() / "verdict.json").read_text())["status"] == "unknown"


@pytest.mark.parametrize("phase", ["start", "connect", "probe", "warm-up", "measure", "drain", "collect"])
def test_ctrl_c_at_any_moment(start: Start, phase: str) -> None:
    """The exit code is 5, no process is left, and the recording up to this moment is kept."""
    run = start("--duration", "1")
    run.wait_for(phase)
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 5, run.errors
    assert "interrupted" in run.errors
    assert "Traceback" not in run.errors
    assert run.survivors() == []
    assert (run.folder() / "plan.json").exists()
    ended = json.loads((run.folder() / "events.jsonl").read_text().splitlines()[-1])
    assert ended["how"] == "interrupted"


def test_repeated_ctrl_c(start: Start, temporary: Path, tmp_path: Path) -> None:
    """A second run is refused with exit code 4 and the pid of the first: two runs would spoil each other's figures.
    Repeated Ctrl-C cuts the teardown short; the guard then ends the processes that are left."""
    run = start()
    run.wait_for("measure")
    second = subprocess.run(
        [*QUICK, "run", "scenario-a", "--size", "smoke", "--out", str(tmp_path / "second")],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env=environment(temporary),
    )
    assert second.returncode == 4, second.stderr
    assert f"another run is in progress on this machine (process {run.process.pid})" in second.stderr
    for _ in range(3):
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert run.end() == 5, run.errors
    assert run.survivors() == []


def test_nothing_outlives_a_killed_harness(start: Start) -> None:
    """After SIGKILL the harness can do nothing. The guard ends its processes and removes its folder."""
    run = start()
    run.wait_for("measure")
    assert len(run.look()) > 8
    run.process.kill()
    run.end()
    assert run.survivors() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(start: Start, tmp_path: Path) -> None:
    """The disk is full in mid-run. The run ends with exit code 4 and a message that names the disk; the recording is
    kept."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    try:
        run = start("--clients", "200", "--audience", "50", "--rate", "200", out=small / "results")
        code = run.end()
        assert code == 4, run.errors
        assert "No space left" in run.errors or "disk" in run.errors
        assert "Traceback" not in run.errors
        assert run.survivors() == []
        assert (run.folder() / "plan.json").exists()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_copied_run_is_judged_alike(start: Start, tmp_path: Path) -> None:
    """`judge` gives the same verdict from a moved folder, and `report` works there too."""
    run = start("--duration", "2")
    code = run.end()
    first = json.loads((run.folder() / "verdict.json").read_text())
    # A busy machine may leave a figure undecided. The test only demands that all commands say the same.
    assert (code, first["status"]) in ((0, "pass"), (3, "unknown")), run.errors
    copy = tmp_path / "elsewhere" / "copy"
    copy.parent.mkdir()
    run.folder().rename(copy)
    for name in ("verdict.json", "series.json", "report.html"):
        (copy / name).unlink()
    judged = subprocess.run([*WHOLE, "judge", str(copy), "--json"], capture_output=True, text=True, timeout=LIMIT_S)
    assert judged.returncode == code, judged.stderr
    assert json.loads(judged.stdout) == first
    reported = subprocess.run([*WHOLE, "report", str(copy)], capture_output=True, text=True, timeout=LIMIT_S)
    assert reported.returncode == 0, reported.stderr
    assert (copy / "report.html").exists()
    assert not (tmp_path / "index.html").exists(), "nothing is written outside the copied folder"


def test_up_and_down(temporary: Path) -> None:
    """`up --detach` returns when the cluster is up. `down` stops it. A second `down` finds nothing to stop."""

    def harness(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*WHOLE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment(temporary))

    up = harness("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "2 servers are up" in up.stdout
    stopped = harness("down")
    assert stopped.returncode == 0, stopped.stderr
    assert "stopped the cluster" in stopped.stdout
    assert "nothing to stop" in harness("down").stdout
