"""Whatever happens to a run: one clear message, the right exit code, nothing left running, nothing recorded lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

LIMIT_S = 60.0


class Run:
    """`harness run scenario-a` at smoke size, watched from outside."""

    def __init__(self, out: Path, *options: str) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "harness.cli", "run", "scenario-a", "--size", "smoke", "--duration", "20"),
                *("--force", "--out", str(out), *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.seen: dict[int, float] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.lines.append(line)

    @property
    def errors(self) -> str:
        return "".join(self.lines)

    def wait_for(self, phase: str) -> None:
        """Until the run says that ``phase`` begins."""
        deadline_s = time.monotonic() + LIMIT_S
        while f"] {phase}\n" not in self.errors:
            assert time.monotonic() < deadline_s, self.errors
            assert self.process.poll() is None, self.errors
            time.sleep(0.01)
        self.look()

    def look(self) -> list[psutil.Process]:
        """All processes below the run; remembered, to see afterwards that they are gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.process.pid).children(recursive=True)
            self.seen |= {process.pid: process.create_time() for process in found}
            return found
        return []

    def find(self, *words: str) -> psutil.Process:
        """The child whose command line has all ``words``."""
        for child in self.look():
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if all(word in line for word in words):
                    return child
        raise AssertionError(f"no child with {words}")

    def end(self) -> int:
        code = self.process.wait(timeout=LIMIT_S)
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def survivors(self) -> list[psutil.Process]:
        """Processes of the run that still live, a moment after it ended."""
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            alive = []
            for pid, created in self.seen.items():
                with contextlib.suppress(psutil.Error):
                    process = psutil.Process(pid)
                    if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                        alive.append(process)
            if not alive:
                return []
            time.sleep(0.1)
        return alive

    def folder(self) -> Path:
        return (self.out / "scenario-a" / "latest").resolve()


@pytest.fixture
def run_in(tmp_path: Path) -> Iterator[Path]:
    """A results folder; afterwards no temporary folder of a run is left."""
    before = set(Path(tempfile.gettempdir()).glob("harness-*"))
    yield tmp_path / "results"
    deadline_s = time.monotonic() + 10
    while left := {p for p in Path(tempfile.gettempdir()).glob("harness-*") if p.is_dir()} - before:
        assert time.monotonic() < deadline_s, left
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("reference_server", "server-2.json"), "server-2"),
        (("valkey-server",), "broker"),
        (("bin/postgres", "-D"), "database"),
    ],
)
def test_a_part_of_the_cluster_that_dies_ends_the_run(run_in: Path, words: tuple[str, ...], name: str) -> None:
    """kill -9 in mid-run: exit 4, which process and how, its log, the recording kept, judged UNKNOWN."""
    run = Run(run_in)
    run.wait_for("measure")
    run.find(*words).kill()
    assert run.end() == 4, run.errors
    assert f"{name} ended unexpectedly: killed by signal 9 (SIGKILL)" in run.errors
    assert "log" in run.errors
    assert run.survivors() == []
    assert json.loads((run.folder() / "verdict.json").read_text())["status"] == "unknown"
    assert (run.folder() / "report.html").exists()


@pytest.mark.parametrize("words", [("harness.load.worker",), ("harness.load.publisher",)])
def test_a_load_process_that_dies_leaves_the_verdict_open(run_in: Path, words: tuple[str, ...]) -> None:
    """What its clients saw afterwards is not known: exit 3."""
    run = Run(run_in)
    run.wait_for("measure")
    run.find(*words).kill()
    assert run.end() == 3, run.errors
    assert "of the load generator ended unexpectedly: killed by signal 9" in run.errors
    assert run.survivors() == []
    assert json.loads((run.folder() / "verdict.json").read_text())["status"] == "unknown"


@pytest.mark.parametrize("phase", ["start", "connect", "probe", "warm-up", "measure", "drain", "collect"])
def test_ctrl_c_at_any_moment(run_in: Path, phase: str) -> None:
    """Exit 5, everything torn down, the recording so far kept."""
    run = Run(run_in, "--duration", "2")
    run.wait_for(phase)
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 5, run.errors
    assert "interrupted" in run.errors
    assert "Traceback" not in run.errors
    assert run.survivors() == []
    assert (run.folder() / "plan.json").exists()
    ended = json.loads((run.folder() / "events.jsonl").read_text().splitlines()[-1])
    assert ended["how"] == "interrupted"


def test_an_impatient_second_ctrl_c(run_in: Path) -> None:
    """A teardown that is cut short still leaves nothing behind: the guard does the rest."""
    run = Run(run_in)
    run.wait_for("measure")
    for _ in range(3):
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert run.end() == 5, run.errors
    assert run.survivors() == []


def test_nothing_outlives_a_killed_harness(run_in: Path) -> None:
    """SIGKILL leaves the harness no time: the guard ends the rest and removes the folder."""
    run = Run(run_in)
    run.wait_for("measure")
    assert len(run.look()) > 8
    run.process.kill()
    run.end()
    assert run.survivors() == []


def test_a_second_run_is_refused(run_in: Path) -> None:
    """Two at once would spoil each other's figures: exit 4 and who is running."""
    run = Run(run_in)
    try:
        run.wait_for("connect")
        second = subprocess.run(
            [sys.executable, "-m", "harness.cli", "run", "scenario-a", "--size", "smoke", "--out", str(run_in)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
    finally:
        run.process.send_signal(signal.SIGINT)
        run.end()
    assert second.returncode == 4, second.stderr
    assert f"another run is under way on this machine (process {run.process.pid})" in second.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk(tmp_path: Path) -> None:
    """No space left in mid-run: exit 4, what is full and what to do, the rows so far readable."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    try:
        run = Run(small / "results", "--rate", "200")
        code = run.end()
        assert code == 4, run.errors
        assert "No space left" in run.errors or "disk" in run.errors
        assert "Traceback" not in run.errors
        assert run.survivors() == []
        assert (run.folder() / "plan.json").exists()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_copied_run_is_judged_alike(run_in: Path, tmp_path: Path) -> None:
    """`judge` and `report` from a copied folder, after the run's own is gone, give the same verdict."""
    run = Run(run_in, "--duration", "4")
    assert run.end() == 0, run.errors
    first = json.loads((run.folder() / "verdict.json").read_text())
    copy = tmp_path / "elsewhere" / "copy"
    copy.parent.mkdir()
    run.folder().rename(copy)
    for name in ("verdict.json", "series.json", "report.html"):
        (copy / name).unlink()
    judged = subprocess.run(
        [sys.executable, "-m", "harness.cli", "judge", str(copy), "--json"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout) == first
    reported = subprocess.run(
        [sys.executable, "-m", "harness.cli", "report", str(copy)], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert reported.returncode == 0, reported.stderr
    assert (copy / "report.html").exists()
    assert not (tmp_path / "index.html").exists(), "nothing is written outside the copied folder"


def test_up_and_down() -> None:
    """`up --detach` returns when the cluster is up, `down` ends it, a second `down` has nothing to do."""
    up = subprocess.run(
        [sys.executable, "-m", "harness.cli", "up", "--detach"], capture_output=True, text=True, timeout=LIMIT_S
    )
    assert up.returncode == 0, up.stderr
    assert "2 servers are up" in up.stdout
    down = [sys.executable, "-m", "harness.cli", "down"]
    stopped = subprocess.run(down, capture_output=True, text=True, timeout=LIMIT_S)
    assert stopped.returncode == 0, stopped.stderr
    assert "stopped the cluster" in stopped.stdout
    assert "nothing to stop" in subprocess.run(down, capture_output=True, text=True, timeout=LIMIT_S).stdout
