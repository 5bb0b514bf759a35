"""The end of a process in words."""

import pytest

from harness.model.process_end import how_container_ended, how_it_ended


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
