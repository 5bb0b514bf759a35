import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SPEAK = """
import sys
from harness.output import protect_output
protect_output()
for number in range({lines}):
    print("line", number, "µ·✓", file=sys.{stream})
sys.exit(7)
"""


def speaker(stream: str, lines: int = 10) -> list[str]:
    return [sys.executable, "-c", SPEAK.format(stream=stream, lines=lines)]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">/dev/full", "2>/dev/full", "<&- >&- 2>&-", "| true"])
def test_the_exit_code_does_not_depend_on_who_reads(stream: str, redirection: str) -> None:
    """The descriptor is closed, the disk is full, or the reader is gone. The process ends with its own exit code."""
    words = " ".join(f"'{word}'" for word in speaker(stream, lines=20_000)[:2])
    script = f'{words} "$0" {redirection}; exit ${{PIPESTATUS[0]}}'
    ended = subprocess.run(
        ["bash", "-c", script, SPEAK.format(stream=stream, lines=20_000)], capture_output=True, timeout=60
    )
    assert ended.returncode == 7, ended.stderr


def test_a_closed_descriptor_is_not_given_to_a_file(tmp_path: Path) -> None:
    """If standard output is closed, the next opened file would get its number, and the output would be written into
    that file."""
    path = tmp_path / "file"
    code = (
        "from harness.output import protect_output\nprotect_output()\n"
        f"file = open({str(path)!r}, 'w')\nprint('lost')\nfile.write('kept')\n"
    )
    subprocess.run(["bash", "-c", f'{sys.executable} -c "$0" >&-', code], check=True, timeout=60)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_character_that_the_terminal_lacks_is_an_escape(encoding: str) -> None:
    """An encoding error is never raised."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ended = subprocess.run(speaker("stdout", 1), capture_output=True, env=environment, timeout=60)
    assert ended.returncode == 7
    assert ended.stdout.decode(encoding).startswith("line 0")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037", "idna", "utf-7", "utf-8-sig"])
def test_an_encoding_without_ascii_is_no_terminals(encoding: str) -> None:
    """A program that reads the output expects ASCII, so other characters are escapes."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ended = subprocess.run(speaker("stdout", 1), capture_output=True, env=environment, timeout=60)
    assert ended.returncode == 7
    assert ended.stdout.startswith(b"line 0 ")
    assert ended.stdout.isascii()


def test_progress_is_dropped_when_its_reader_has_stopped() -> None:
    """Standard error goes to a paused terminal. The process does not wait for it and ends. Only standard output waits
    for its reader."""
    read, write = os.pipe()
    try:
        ended = subprocess.run(speaker("stderr", 20_000), stderr=write, stdout=subprocess.DEVNULL, timeout=60)
        assert ended.returncode == 7
    finally:
        os.close(read)
        os.close(write)


def test_results_wait_for_a_slow_reader_of_a_pipe_that_does_not_block() -> None:
    """Some programs pass a pipe in non-blocking mode. Every line must still arrive."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    process = subprocess.Popen(speaker("stdout", 20_000), stdout=write)
    os.close(write)
    chunks: list[bytes] = []
    with os.fdopen(read, "rb") as pipe:
        reader = threading.Thread(target=lambda: chunks.append(pipe.read()))
        reader.start()
        assert process.wait(60) == 7
        reader.join(60)
    assert len(b"".join(chunks).splitlines()) == 20_000
