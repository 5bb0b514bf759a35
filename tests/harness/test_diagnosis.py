"""The checks of `harness doctor`."""

from pathlib import Path

import pytest

from harness import diagnosis as module
from harness.diagnosis import Advice, examine
from harness.model.component import COMPONENT_KINDS


def row(what: str, out: Path) -> Advice:
    (found,) = [advice for advice in examine(out).advice if advice.what == what]
    return found


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not ask a Docker engine."""
    monkeypatch.setattr(module, "_docker_advice", lambda: Advice(what="docker", found="", good=True, advice=""))
    for name in ("HARNESS_TOKEN", *(kind.variable for kind in COMPONENT_KINDS)):
        monkeypatch.delenv(name, raising=False)


def test_it_shows_what_can_stop_a_run(tmp_path: Path) -> None:
    """User, folders, descriptors, programs and variables have a row each. `plan` and `run` refuse for the same
    reasons."""
    shown = {advice.what for advice in examine(tmp_path).advice}
    assert shown >= {"user", "temporary folder", "results folder", "descriptors", "server programs", "external cluster"}


@pytest.mark.parametrize("problems", ["user_problems", "folder_problems", "broken_wheels", "too_few_descriptors"])
def test_what_stops_a_run_makes_this_machine_unable(
    problems: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, problems, lambda: ["a sentence"])
    found = examine(tmp_path)
    assert not found.able
    assert [advice.advice for advice in found.advice if not advice.good and advice.advice == "a sentence"]


def test_variables_of_an_external_cluster_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are optional, but a set variable must be valid. Their values are never shown."""
    assert row("external cluster", tmp_path).good
    monkeypatch.setenv("HARNESS_DATABASE", "postgresql://u:geheim@a,b/c")
    found = row("external cluster", tmp_path)
    assert (found.good, found.found) == (False, "set: HARNESS_DATABASE")
    assert "several hosts" in found.advice
    monkeypatch.setenv("HARNESS_TOKEN", "ge heim")
    found = row("external cluster", tmp_path)
    assert "white space in the middle" in found.advice
    assert "heim" not in found.advice
    assert examine(tmp_path).able, "the embedded environment needs none of them"
