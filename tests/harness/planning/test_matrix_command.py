"""The command line that repeats a matrix."""

from dataclasses import replace

import pytest

from harness.model.scenario import Size
from harness.planning.matrix_command import matrix_command
from tests.harness.planning.test_matrix_planner import asked

PLAIN = (
    *("matrix", "--backplanes", "redis,mesh", "--write-paths", "db-first", "--scenarios", "a,b", "--repeat", "3"),
    *("--size", "smoke"),
)


def command(**base: object) -> tuple[str, ...]:
    return matrix_command(asked("redis", "mesh", repeat=3, **base), ("a", "b"))


def test_what_was_not_given_is_not_in_the_command() -> None:
    """The planner chooses it again for the machine of the repetition. The seed is always in the command, because it
    decides the order."""
    assert command(seed=7) == (*PLAIN, "--seed", "7")
    assert command(size=Size.FIT)[-4:] == ("--size", "fit", "--seed", "1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"server_counts": (2, 4)}, ("--servers", "2,4")),
        ({"clients": 40}, ("--clients", "40")),
        ({"clients": 1_000_000}, ("--clients", "1000000")),
        ({"rate_hz": 1234567.5}, ("--rate", "1234567.5")),
        ({"duration_s": 3.0}, ("--duration", "3")),
        ({"recovery": "off"}, ("--recovery", "off")),
        ({"rate_hz": 12.5}, ("--rate", "12.5")),
        ({"duration_s": 0.0}, ("--duration", "0")),
        ({"audience": "all"}, ("--audience", "all")),
        ({"audience": 0}, ("--audience", "0")),
        ({"environment": "docker"}, ("--environment", "docker")),
        ({"recovery": "manual"}, ("--recovery", "manual")),
    ],
)
def test_each_option_that_was_given_is_in_the_command(given: dict[str, object], words: tuple[str, ...]) -> None:
    """Zero is a given number too. Numbers keep all their digits, and whole numbers have no decimal point."""
    assert command(**given) == (*PLAIN, *words, "--seed", "1")


def test_force_is_repeated() -> None:
    """--force is the last word of the command."""
    assert command(force=True) == (*PLAIN, "--seed", "1", "--force")


def test_write_paths_are_listed() -> None:
    """The list has the requested write paths with their variations."""
    both = replace(asked("redis"), write_paths=("db-first", "db-first synchronous_commit=off"))
    words = matrix_command(both, ("a",))
    assert words[words.index("--write-paths") + 1] == "db-first,db-first synchronous_commit=off"
