"""What is checked while options are read."""

import pytest
import typer

from harness.model.fault import Target
from harness.options import _parse_target


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
    assert _parse_target(text) is target


def test_an_unknown_target_is_refused_with_roles_and_kinds() -> None:
    with pytest.raises(typer.BadParameter, match=r"expected one of broker, database, .*redis.*, found 'moon'"):
        _parse_target("moon")
