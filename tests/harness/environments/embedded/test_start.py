"""Starting a component on a free port, with stand-ins for its processes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.environments.embedded import start as start_module
from harness.environments.embedded.start import PORT_ATTEMPTS, Start, on_free_port
from harness.model.cluster import Endpoint, Topology
from harness.model.errors import EnvironmentFailure

TOPOLOGY = Topology(servers=1, backplane="redis", write_path="db-first", run_id="r")


class FakeChild:
    name = "broker"

    def __init__(self, log: Path) -> None:
        self.log = log
        self.ended = False

    def casualty(self) -> str | None:
        return None

    async def end(self, number: int) -> None:
        self.ended = True


def started(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *failures: str | None
) -> tuple[Any, list[FakeChild], list[int]]:
    """The part or the error, the children, and their ports. Each child takes one of ``failures``: a text is logged and
    the child does not answer; with None the child answers."""
    log = folder / "log"
    log.touch()
    children: list[FakeChild] = []
    ports: list[int] = []

    def make(port: int) -> Any:
        children.append(FakeChild(log))
        ports.append(port)
        return children[-1], Endpoint(kind="redis", host="127.0.0.1", port=port, password="p")

    async def answers(child: Any, endpoint: Endpoint, limit_s: float) -> None:
        if failure := failures[len(children) - 1]:
            log.write_text(failure)
            raise EnvironmentFailure("not ready")

    monkeypatch.setattr(start_module, "until_component_answers", answers)
    guard: Any = None
    start = Start(topology=TOPOLOGY, name="broker", folder=folder, log=log, guard=guard, password="p")
    try:
        found: Any = asyncio.run(on_free_port(start, make, port_taken="in use", limit_s=1.0))
    except EnvironmentFailure as error:
        found = error
    return found, children, ports


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child that could not bind its port is ended."""
    part, children, ports = started(tmp_path, monkeypatch, "Address already in use", None)
    assert part.process is children[1]
    assert part.endpoint.port == ports[1]
    assert [child.ended for child in children] == [True, False]


def test_any_other_failure_is_raised_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another port would not help."""
    error, children, _ = started(tmp_path, monkeypatch, "disk full", None)
    assert str(error) == "not ready"
    assert [child.ended for child in children] == [True]


def test_the_attempts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error gives the reason and the end of the log."""
    error, children, _ = started(tmp_path, monkeypatch, *["bind: in use"] * PORT_ATTEMPTS)
    assert len(children) == PORT_ATTEMPTS
    assert "broker found its port taken 3 times" in str(error)
    assert "bind: in use" in str(error)
