"""Faults on their schedule with a stand-in for the cluster and the fleet: what is done to each part, and what the
journal records."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from harness.load import fault_injection as module
from harness.load.fault_injection import HEALING, FaultInjection
from harness.model.errors import EnvironmentFailure
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.protocol.chat import Chat
from harness.protocol.contract import Recovered
from tests.harness.plans import a_plan

AT_ONCE = Moment(unit=Unit.SECOND, value=0.0)
POSTED = Moment(unit=Unit.POSTED)


class Scene:
    """A stand-in for the cluster, the fleet, the journal and the watch. ``lines`` records every action."""

    servers: tuple[object, ...] = ()
    token = "t"

    def __init__(self, fails: str = "") -> None:
        self.lines: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.fails = fails

    async def inject(self, kind: FaultKind, part: str) -> dict[str, str]:
        return self.act(f"inject {kind} {part}")

    async def heal(self, kind: FaultKind, part: str) -> dict[str, str]:
        return self.act(f"heal {kind} {part}")

    def act(self, line: str) -> dict[str, str]:
        self.lines.append(line)
        if line == self.fails:
            raise EnvironmentFailure(f"cannot {line}")
        return {"seen": line}

    def pause_reading(self, clients: list[int]) -> None:
        self.lines.append(f"pause {clients}")

    def resume_reading(self, clients: list[int]) -> None:
        self.lines.append(f"resume {clients}")

    def event(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    def recording(self, folder: Path) -> None: ...

    def note(self, text: str) -> None: ...


def a_fault(kind: FaultKind, target: Target, *parts: str, until: Moment = POSTED) -> Fault:
    return Fault(kind=kind, target=target, at=AT_ONCE, until=until, parts=parts)


def play(scene: Any, *faults: Fault, **changes: Any) -> None:
    """Inject the faults into a run that posts everything within 0.1 s."""

    async def scenario() -> None:
        plan = a_plan(faults=faults, duration_s=0.1, **changes)
        injection = FaultInjection(plan, scene, scene, protocol=Chat(), journal=scene, watch=scene)
        async with asyncio.timeout(10), injection.running(time.monotonic_ns()):
            await asyncio.sleep(0.1)
            scene.lines.append("posted")
            injection.posted.set()

    asyncio.run(scenario())


def test_every_kind_has_a_healing() -> None:
    """HEALING holds the word that the journal uses for the end of each kind of fault."""
    assert set(HEALING) == set(FaultKind)


def test_a_fault_is_injected_and_healed() -> None:
    """Every part of the fault is injected and healed. The journal records both under the fault's number, with what was
    seen."""
    scene = Scene()
    play(scene, a_fault(FaultKind.PAUSE, Target.SERVERS, "server-1", "server-2"))
    inject, heal = [[f"{word} pause server-{number}" for number in (1, 2)] for word in ("inject", "heal")]
    assert scene.lines == [*inject, "posted", *heal]
    assert [event for event, _ in scene.events] == ["fault", "fault-done", "heal", "heal-done"]
    assert [fields["what"] for _, fields in scene.events] == ["pause servers"] * 2 + ["resume servers"] * 2
    assert {fields["fault"] for _, fields in scene.events} == {0}
    assert scene.events[3][1]["seen"]["server-2"] == {"seen": "heal pause server-2"}


def test_the_fleet_injects_slow_consumers() -> None:
    """The fleet pauses and resumes the reading of its clients. The cluster is not touched."""
    scene = Scene()
    play(scene, a_fault(FaultKind.PAUSE, Target.CLIENTS, "client-3", "client-17"))
    assert scene.lines == ["pause [3, 17]", "posted", "resume [3, 17]"]
    assert scene.events[1][1]["seen"] == {}


def test_a_restart_is_healed_at_once() -> None:
    """A restart has no end to wait for. If it has one part, the journal names that part."""
    scene = Scene()
    play(scene, a_fault(FaultKind.RESTART, Target.SERVER, "server-1"))
    assert scene.lines == ["inject restart server-1", "heal restart server-1", "posted"]
    assert [fields["what"] for _, fields in scene.events[::2]] == ["restart server-1", "start server-1"]


def test_two_faults_run_side_by_side() -> None:
    """Each fault has its own number and its own end."""
    scene = Scene()
    shortly = Moment(unit=Unit.AFTER, value=0.02)
    play(
        scene,
        a_fault(FaultKind.STOP, Target.BROKER, "broker"),
        a_fault(FaultKind.KILL, Target.SERVER, "server-1", until=shortly),
    )
    assert scene.lines[2:] == ["heal kill server-1", "posted", "heal stop broker"]
    assert [fields["fault"] for event, fields in scene.events if event == "heal"] == [1, 0]


@pytest.mark.parametrize("step", ["inject stop broker", "heal stop broker"])
def test_a_fault_that_fails_is_the_error(step: str) -> None:
    """The error is the cluster's own, not an exception group."""
    with pytest.raises(EnvironmentFailure, match=f"^cannot {step}$"):
        play(Scene(step), a_fault(FaultKind.STOP, Target.BROKER, "broker"))


def test_recovery_by_hand_follows_the_healing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This happens only if the plan says `manual`. The harness waits until the servers are ready, asks them to
    rebroadcast, and records the numbers in the journal."""
    scene = Scene()

    async def ready(*_: object) -> bool:
        scene.lines.append("ready")
        return True

    async def rebroadcast(*_: object) -> dict[str, Recovered]:
        scene.lines.append("rebroadcast")
        return {"server-1": Recovered(channels=2, messages=5)}

    monkeypatch.setattr(module, "until_ready", ready)
    monkeypatch.setattr(module, "rebroadcast", rebroadcast)
    monkeypatch.setattr(module, "UNTOUCHED_S", 0.0)
    play(scene, a_fault(FaultKind.STOP, Target.BROKER, "broker"), recovery="manual")
    assert scene.lines[-3:] == ["heal stop broker", "ready", "rebroadcast"]
    assert scene.events[-2:] == [
        ("rebroadcast", {"what": "rebroadcast"}),
        ("rebroadcast-done", {"servers": {"server-1": 5}}),
    ]


def test_servers_that_do_not_come_back_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness sends no request to servers that are not ready."""

    async def never(*_: object) -> bool:
        return False

    monkeypatch.setattr(module, "until_ready", never)
    with pytest.raises(EnvironmentFailure, match="the servers were not ready 20 s after the fault was healed"):
        play(Scene(), a_fault(FaultKind.STOP, Target.BROKER, "broker"), recovery="manual")
