"""The commands for a cluster that a person uses: what they refuse, and what they pass on."""

from typing import Any

import pytest
from typer.testing import CliRunner

from harness import playground
from harness.commands import app
from harness.playground_commands import PLAYABLE


def test_only_environments_that_the_harness_owns_can_be_started() -> None:
    """An external cluster already runs."""
    assert "external" not in PLAYABLE
    ended = CliRunner().invoke(app, ["up", "--environment", "external"])
    assert ended.exit_code == 2
    assert f"expected one of {', '.join(PLAYABLE)}" in " ".join(ended.output.split())


def test_up_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the backplane may be repeated."""
    got: dict[str, Any] = {}
    monkeypatch.setattr(playground, "bring_up", got.update)
    options = ["--servers", "3", "--backplane-setting", "a=1", "--backplane-setting", "b=2", "--detach"]
    assert CliRunner().invoke(app, ["up", *options]).exit_code == 0
    assert (got["servers"], got["backplane_settings"], got["detach"]) == (3, ("a=1", "b=2"), True)
    assert got["environment"] == PLAYABLE[0]


def test_a_rebroadcast_needs_a_server() -> None:
    """The message names the option."""
    ended = CliRunner().invoke(app, ["rebroadcast"])
    assert ended.exit_code == 2
    assert "--server" in ended.output
