"""The harness's object for one container, without an engine."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from harness.environments.docker.container import Container, how_it_ended
from harness.environments.docker.docker_engine import EngineFailure
from harness.environments.docker.recipe import Recipe
from harness.model.component import Role

RECIPE = Recipe(name="server-1", role=Role.SERVER, kind="reference_server", image="i", port=8000, files={})


class FakeEngine:
    """Runs each call at once. ``state`` is the state of the only container."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"Running": True, "Pid": 0, "FinishedAt": "never", "ExitCode": 0}
        self.sdk = SimpleNamespace(api=SimpleNamespace(inspect_container=lambda _: {"State": self.state}))

    async def call(self, work: Callable[[], Any]) -> Any:
        return work()


class FakeHandle:
    id = "0123456789ab"

    def __init__(self, log: bytes = b"one\ntwo\n") -> None:
        self.log = log
        self.refusal = ""

    def start(self) -> None:
        if self.refusal:
            raise EngineFailure(self.refusal)

    def logs(self, tail: int) -> bytes:
        return self.log


def a_container(published: int | None = None, log: bytes = b"one\ntwo\n") -> tuple[Container, FakeEngine, FakeHandle]:
    engine: Any = FakeEngine()
    network: Any = SimpleNamespace(addresses={"server-1": "10.0.0.5"})
    handle = FakeHandle(log)
    return Container(engine, handle, RECIPE, network, published), engine, handle


def test_it_is_reached_at_its_own_address_or_at_a_published_port() -> None:
    """A published port is on this machine's loopback address."""
    own, published = a_container()[0], a_container(40_000)[0]
    assert (own.host, own.port) == ("10.0.0.5", 8000)
    assert (published.host, published.port) == ("127.0.0.1", 40_000)


def test_an_end_that_was_not_asked_for_is_a_casualty() -> None:
    """The casualty holds the exit code and the end of the log."""
    container, engine, _ = a_container()
    engine.state |= {"Running": False, "ExitCode": 137, "OOMKilled": True, "FinishedAt": "now"}
    container.saw_end()
    assert container.casualty == (
        "server-1 ended unexpectedly: exit code 137 (SIGKILL), out of memory; last lines of its log:\n  one\n  two"
    )


def test_an_end_that_was_asked_for_is_none() -> None:
    """This also holds if the engine's event arrives after the next start."""
    container, engine, _ = a_container()
    container.asked_to_end = True
    engine.state |= {"Running": False, "FinishedAt": "then"}
    container.saw_end()

    async def ended_and_started() -> None:
        await container.look()
        await container.start()

    asyncio.run(ended_and_started())
    container.saw_end()
    assert container.casualty is None


def test_a_start_that_fails_names_the_container() -> None:
    """The test expects an EngineFailure with the container's name and the engine's reason."""
    container, _, handle = a_container()
    handle.refusal = "port is already allocated"
    with pytest.raises(EngineFailure, match="server-1 cannot be started: port is already allocated"):
        asyncio.run(container.start())


def test_a_container_of_another_kernel_has_no_process_here() -> None:
    """The pid alone is not enough. The control group of that process must name the container."""
    container, engine, _ = a_container()
    engine.state["Pid"] = 1
    asyncio.run(container.look())
    assert container.component is None


def test_an_empty_log_is_said_to_be_empty() -> None:
    """The message has no heading without lines."""
    assert a_container(log=b"")[0].last_words() == "its log is empty"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"ExitCode": 0}, "exit code 0"),
        ({"ExitCode": 137}, "exit code 137 (SIGKILL)"),
        ({"ExitCode": 1, "Error": "no such file"}, "exit code 1, no such file"),
    ],
)
def test_an_end_in_words(state: dict[str, Any], words: str) -> None:
    """The text holds the exit code, the signal, and the engine's own error."""
    assert how_it_ended(state) == words
