"""Removes leftovers of dead runs, and nothing else."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.environments.docker.docker_engine import EngineFailure
from harness.environments.docker.leftovers import remove_dead_runs, remove_run
from harness.environments.docker.owner import PART, Owner, labels

HERE = Owner.of_this_process()
DEAD = replace(HERE, pid=2**22 - 1)


class Thing:
    """A container or a network of the pretended engine."""

    def __init__(self, name: str, marks: dict[str, str], *, refuses: str = "") -> None:
        self.name = name
        self.attrs: dict[str, Any] = {"Labels": marks, "Names": [f"/{name}"], "State": "running"}
        self.killed = self.removed = False
        self._refuses = refuses

    def kill(self) -> None:
        self.killed = True

    def logs(self, **_: object) -> list[bytes]:
        return [b"last ", b"words\n"]

    def remove(self, **options: object) -> None:
        if self._refuses:
            raise EngineFailure(self._refuses)
        assert options in ({}, {"force": True, "v": True}), "volumes go with their containers"
        self.removed = True


class PretendedEngine:
    """Lists the things that have the requested label, like the engine."""

    def __init__(self, containers: list[Thing], networks: list[Thing]) -> None:
        def listing(things: list[Thing]) -> Callable[..., list[Thing]]:
            def find(*, filters: dict[str, str], **_: object) -> list[Thing]:
                key, _sign, value = filters["label"].partition("=")
                return [t for t in things if key in t.attrs["Labels"] and value in ("", t.attrs["Labels"][key])]

            return find

        self.sdk = SimpleNamespace(
            containers=SimpleNamespace(list=listing(containers)), networks=SimpleNamespace(list=listing(networks))
        )

    async def call(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        return function(*arguments, **keywords)


def test_only_dead_runs_are_removed(tmp_path: Path) -> None:
    """Things of living runs stay, and so do things with an unreadable label. A dead run's things are removed; its logs
    are saved in the run's folder for logs."""
    dead = labels(run_id="rdead", owner=DEAD, logs=tmp_path)
    alive = labels(run_id="ralive", owner=HERE, logs=tmp_path)
    strange = {**alive, "broadcast-harness.owner": "of a later version"}
    server = Thing("a", dead | {PART: "server-1"})
    ours, theirs = Thing("b", alive | {PART: "server-1"}), Thing("c", strange)
    network, our_network = Thing("n", dead), Thing("m", alive)
    engine: Any = PretendedEngine([server, ours, theirs], [network, our_network])
    said = asyncio.run(remove_dead_runs(engine))
    assert said == ["removed 1 containers and 1 networks of run rdead, left behind by a dead run"]
    assert server.removed
    assert network.removed
    assert not any(thing.killed or thing.removed for thing in (ours, theirs, our_network))
    assert (tmp_path / "server-1.log").read_text() == "last words\n"


def test_a_run_removes_its_own_only(tmp_path: Path) -> None:
    """Another run of the same process keeps its containers."""
    mine, other = (Thing(name, labels(run_id=name, owner=HERE, logs=tmp_path)) for name in ("r1", "r2"))
    engine: Any = PretendedEngine([mine, other], [])
    assert asyncio.run(remove_run(engine, HERE, "r1")) == []
    assert mine.removed
    assert not other.removed


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    """The message gives the command that removes it. Everything else is removed."""
    marks = labels(run_id="r1", owner=HERE, logs=tmp_path)
    stuck, other = Thing("stuck", marks, refuses="device busy"), Thing("other", marks)
    engine: Any = PretendedEngine([stuck, other], [])
    (sentence,) = asyncio.run(remove_run(engine, HERE, "r1"))
    assert "device busy" in sentence
    assert "docker rm -fv stuck" in sentence
    assert other.removed
