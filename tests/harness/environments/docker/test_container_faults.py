"""Faults in containers, with a stand-in for the engine. test_docker_cluster.py tests real containers."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from harness.environments.docker import container_faults
from harness.environments.docker.container_faults import heal, inject
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind


class Calls:
    """Stands in for a container, its network and its engine. ``made`` lists every call."""

    def __init__(self, *, running: tuple[bool, ...] = (False,)) -> None:
        self.made: list[str] = []
        self.running = list(running)
        network = SimpleNamespace(
            handle=SimpleNamespace(connect="connect", disconnect="disconnect"), addresses={"server-1": "10.1.0.2"}
        )
        self.process = SimpleNamespace(
            name="server-1",
            handle=SimpleNamespace(pause="pause", unpause="unpause", kill="kill", stop="stop"),
            engine=SimpleNamespace(call=self.call),
            network=network,
            asked_to_end=False,
            look=self.look,
            start=self.start,
        )

    async def call(self, what: Any, *arguments: Any, **named: Any) -> None:
        self.made.append(what)

    async def start(self) -> None:
        self.made.append("start")

    async def until_ready(self) -> None:
        self.made.append("ready")

    async def look(self) -> dict[str, Any]:
        running = self.running.pop(0) if len(self.running) > 1 else self.running[0]
        return {
            "Running": running, "ExitCode": 137, "OOMKilled": False, "FinishedAt": "f", "StartedAt": "s", "Error": ""
        }  # fmt: skip


def play(action: Any, kind: FaultKind, calls: Calls) -> Any:
    return asyncio.run(action(calls, kind))


@pytest.mark.parametrize(
    ("kind", "injected", "healed"),
    [
        (FaultKind.PAUSE, "pause", "unpause"),
        (FaultKind.PARTITION, "disconnect", "connect"),
        (FaultKind.KILL, "kill", "start"),
        (FaultKind.STOP, "stop", "start"),
    ],
)
def test_each_fault_has_its_call_and_its_opposite(kind: FaultKind, injected: str, healed: str) -> None:
    """The heal waits until the part is ready. Only stop and kill mark the end as asked for."""
    calls = Calls(running=(True, False))
    assert play(inject, kind, calls)["at_ns"] > 0
    assert calls.process.asked_to_end == (kind in (FaultKind.KILL, FaultKind.STOP))
    assert play(heal, kind, calls)["started_at"] == "s"
    assert calls.made == [injected, healed, "ready"]


def test_a_container_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the container."""
    monkeypatch.setattr(container_faults, "END_LIMIT_S", 0.0)
    with pytest.raises(EnvironmentFailure, match="server-1 still runs"):
        play(inject, FaultKind.KILL, Calls(running=(True,)))
