"""Ends of processes in words."""

from pathlib import Path

import pytest

from harness.model.process_end import LOG_LINES, how_container_ended, how_it_ended, last_lines


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by signal 9 (SIGKILL)"), (-250, "killed by signal 250")],
)
def test_a_return_code_is_an_exit_code_or_a_signal(code: int, words: str) -> None:
    assert how_it_ended(code) == words


@pytest.mark.parametrize(
    ("code", "words"), [(1, "exit code 1"), (137, "exit code 137 (SIGKILL)"), (255, "exit code 255")]
)
def test_a_container_tells_a_signal_by_an_exit_code_above_128(code: int, words: str) -> None:
    assert how_container_ended(code) == words


def test_the_end_of_a_log_is_bounded(tmp_path: Path) -> None:
    """A few lines, whatever the program wrote; nothing where it wrote nothing."""
    log = tmp_path / "a.log"
    assert last_lines(log) == ""
    log.write_text("")
    assert last_lines(log) == ""
    log.write_bytes(b"\xff" * 10_000 + b"\n" + b"\n".join(b"line %d" % n for n in range(100)))
    found = last_lines(log)
    assert found.startswith(f"last lines of {log}:")
    assert found.endswith("line 99")
    assert len(found.splitlines()) == LOG_LINES + 1
