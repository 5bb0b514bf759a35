from dataclasses import dataclass

import pytest

from reference_server.registry import Registry, UnknownMember


@dataclass
class Member:
    name: str


def test_a_member_is_found_by_its_name() -> None:
    """The registry finds the members that it was built with, and those that were registered later."""
    registry = Registry("colour", Member("red"))
    registry.register(Member("blue"))
    assert registry.find("blue") == Member("blue")
    assert registry.names == ("blue", "red")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """The message names the setting, the value that was found, and the members that exist."""
    with pytest.raises(UnknownMember, match='colour "green" is not implemented; expected one of: blue, red'):
        Registry("colour", Member("red"), Member("blue")).find("green")


def test_a_name_stands_for_one_member() -> None:
    """A second member with the same name would silently replace the first one, so it is refused."""
    registry = Registry("colour", Member("red"))
    with pytest.raises(ValueError, match='colour "red" is registered already'):
        registry.register(Member("red"))
