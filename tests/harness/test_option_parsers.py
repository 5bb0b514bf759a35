"""What the text of an option means, and what is refused while it is read."""

from pathlib import Path

import pytest
import typer

from harness.model.fault import Target
from harness.option_parsers import not_empty, parse_target, path_of


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("broker", Target.BROKER),
        ("redis", Target.BROKER),
        ("database", Target.DATABASE),
        ("postgresql", Target.DATABASE),
        ("postgres", Target.DATABASE),
        ("servers", Target.SERVERS),
    ],
)
def test_a_target_is_a_role_or_a_kind_that_has_it(text: str, target: Target) -> None:
    assert parse_target(text) is target


def test_an_unknown_target_is_refused_with_roles_and_kinds() -> None:
    with pytest.raises(typer.BadParameter, match=r"expected one of broker, database, .*redis.*, found 'moon'"):
        parse_target("moon")


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_value_is_not_the_same_as_no_option(text: str) -> None:
    """A script with an empty variable would write to the current folder, or verify with other authorities."""
    for parse in (path_of, not_empty):
        with pytest.raises(typer.BadParameter, match="expected a value, found none"):
            parse(text)


def test_a_path_is_taken_as_it_is_written() -> None:
    assert path_of("a b") == Path("a b")
    assert path_of(Path("results")) == Path("results")
