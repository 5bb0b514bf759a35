"""Registries."""

from dataclasses import dataclass

import pytest

from harness.model.errors import UsageError
from harness.model.registry import EXTENSIONS_VARIABLE, Registry, load, load_extensions


@dataclass(frozen=True)
class Bird:
    name: str


def birds() -> Registry[Bird]:
    return Registry("bird", (Bird("swift"), Bird("wren")))


def test_members_keep_their_order_and_the_first_is_the_default() -> None:
    """Lists and defaults are shown in this order."""
    assert birds().names == ("swift", "wren")
    assert birds().default == Bird("swift")
    assert [bird.name for bird in birds()] == ["swift", "wren"]


def test_an_unknown_name_is_refused_with_all_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown bird 'owl': expected one of swift, wren"):
        birds().get("owl")
    assert birds().find("owl") is None
    assert "owl" not in birds()


def test_a_name_is_taken_once() -> None:
    """A second member with the same name would hide the first one."""
    with pytest.raises(ValueError, match="'wren' is in the registry already"):
        birds().add(Bird("wren"))


def test_a_member_can_be_added_for_a_while() -> None:
    registry = birds()
    with registry.added(Bird("owl")):
        assert registry.get("owl") == Bird("owl")
    assert "owl" not in registry


def test_an_import_path_leads_to_its_object() -> None:
    assert load("harness.model.registry:Registry") is Registry


def test_extensions_are_imported_and_a_broken_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """White space around names is ignored. An empty variable names no extension."""
    monkeypatch.setenv(EXTENSIONS_VARIABLE, " json , msgspec ")
    load_extensions()
    monkeypatch.setenv(EXTENSIONS_VARIABLE, "")
    load_extensions()
    monkeypatch.setenv(EXTENSIONS_VARIABLE, "json,no_such_module_at_all")
    with pytest.raises(UsageError, match="found 'no_such_module_at_all': ModuleNotFoundError"):
        load_extensions()
