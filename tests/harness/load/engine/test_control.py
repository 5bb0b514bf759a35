"""What an engine writes to a process of the load generator and reads from it: commands and reports, one a line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.harness.load.engine.test_local import a_job

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-m", "tests.harness.load.engine.echo_job"]
pytestmark = pytest.mark.integration


@contextmanager
def started(folder: Path, *early: bytes) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with the job `one`. Its first read returns the job and the lines ``early`` together."""
    process = subprocess.Popen(
        [*COMMAND, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    try:
        process.stdin.write(b"".join(line + b"\n" for line in (msgspec.json.encode(a_job("one")), *early)))
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.communicate()


def reports(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, object]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def test_commands_behind_the_job_are_not_lost(tmp_path: Path) -> None:
    """Commands may arrive in the same read as the job. They are carried out in order."""
    with started(tmp_path, b'{"do":"connect"}', b'{"do":"finish"}') as process:
        assert [report.get("phase", "") for report in reports(process)] == ["connect", "finish", "finish"]
        assert process.wait(10) == 0


def test_a_command_may_arrive_in_pieces(tmp_path: Path) -> None:
    """The process carries out a command when its line is complete."""
    with started(tmp_path) as process:
        coming = reports(process)
        next(coming)
        assert process.stdin is not None
        for piece in (b'{"do":"res', b'ume_reading","clients":[1]}', b"\n"):
            process.stdin.write(piece)
            process.stdin.flush()
        report = next(coming)
        assert (report["phase"], report["connected"]) == ("resume_reading", 1)


def test_the_process_exits_when_the_engine_is_gone(tmp_path: Path) -> None:
    """The process exits at the end of file on stdin, for any cause."""
    with started(tmp_path) as process:
        next(reports(process))
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        process.stdin = None


def test_an_error_in_a_callback_is_reported(tmp_path: Path) -> None:
    """The event loop alone would only log the error."""
    with started(tmp_path) as process:
        coming = reports(process)
        next(coming)
        assert process.stdin is not None
        process.stdin.write(b'{"do":"start"}\n')
        process.stdin.flush()
        report = next(coming)
        assert (report["failed"], report["trouble"]) == (True, "ZeroDivisionError: planted")


@pytest.mark.parametrize("arguments", [[], ["folder"]])
def test_started_by_hand_it_says_what_it_expects(arguments: list[str]) -> None:
    """If the folder or the job is missing, the process prints a sentence and no traceback."""
    shown = subprocess.run([*COMMAND, *arguments], cwd=ROOT, input=b"", capture_output=True, timeout=30)
    assert shown.returncode == 1
    assert b"expected a work folder as the argument and a job on standard input" in shown.stderr
    assert b"Traceback" not in shown.stderr
