"""The command line that repeats a matrix says what was asked for, and nothing that follows from the machine."""

from typing import Any

import pytest

from harness.model.scenario import Size
from harness.planning.matrix_command import matrix_command
from harness.planning.matrix_planner import MatrixRequest
from harness.planning.request import Request

ALWAYS = ("matrix", "--backplanes", "redis,mesh", "--write-paths", "db-first", "--scenarios", "scenario-a,scenario-b")


def command(**base: Any) -> tuple[str, ...]:
    asked = MatrixRequest(
        backplanes=("redis", "mesh"), write_paths=("db-first",), repeat=2, base=Request(size=Size.SMOKE, **base)
    )
    return matrix_command(asked, ("scenario-a", "scenario-b"))


def test_options_that_were_not_given_are_not_said() -> None:
    """They are chosen again, for the machine then; the seed is always said, so that the order is the same."""
    assert command() == (*ALWAYS, "--repeat", "2", "--size", "smoke", "--seed", "1")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"server_counts": (2, 4)}, ("--servers", "2,4")),
        ({"clients": 1_000_000}, ("--clients", "1000000")),
        ({"clients": 1_234_567}, ("--clients", "1234567")),
        ({"rate_hz": 12.5}, ("--rate", "12.5")),
        ({"rate_hz": 1234567.5}, ("--rate", "1234567.5")),
        ({"duration_s": 3.0}, ("--duration", "3")),
        ({"audience": 20}, ("--audience", "20")),
        ({"audience": "all"}, ("--audience", "all")),
        ({"environment": "docker"}, ("--environment", "docker")),
        ({"recovery": "off"}, ("--recovery", "off")),
    ],
)
def test_a_given_option_is_said_with_its_value(base: dict[str, Any], words: tuple[str, ...]) -> None:
    """As a whole number where it is one."""
    assert command(**base) == (*ALWAYS, "--repeat", "2", "--size", "smoke", *words, "--seed", "1")


def test_force_comes_last() -> None:
    assert command(force=True, seed=7)[-3:] == ("--seed", "7", "--force")
