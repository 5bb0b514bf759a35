"""The connection to the engine. Calls can be awaited and have a time limit, and errors say what to do."""

import asyncio
import threading
import time
from types import SimpleNamespace
from unittest import mock

import pytest
from docker.errors import APIError, NotFound

from harness.environments.docker.docker_engine import Absent, Engine, EngineFailure, connect
from harness.environments.docker.leftovers import remove_leftovers
from harness.model.errors import EnvironmentFailure


def an_engine() -> Engine:
    return Engine(SimpleNamespace(close=lambda: None), "unix:///test", "0")


@pytest.mark.parametrize(
    ("address", "reason"),
    [("unix:///nowhere/docker.sock", "no such file or directory"), ("tcp://127.0.0.1:1", "refused")],
)
def test_no_engine_is_said_in_one_message(address: str, reason: str) -> None:
    """The message gives the address, the reason and what to do. Removing leftovers then does nothing and raises no
    error."""
    with mock.patch.dict("os.environ", {"DOCKER_HOST": address}):
        with pytest.raises(EnvironmentFailure, match=rf"no Docker engine answers at {address}: .*{reason}; start it"):
            connect(timeout_s=1)
        assert remove_leftovers() == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFound("404", explanation="No such container: x"), Absent),
        (APIError("500", explanation="port is already allocated"), EngineFailure),
        (TimeoutError("timed out"), EngineFailure),
    ],
)
def test_errors_of_the_engine_are_ours(error: Exception, expected: type[Exception]) -> None:
    """The harness's error quotes the engine's own words."""

    def fail() -> None:
        raise error

    with an_engine() as engine, pytest.raises(expected, match=r"No such|already allocated|in time"):
        asyncio.run(engine.call(fail))


def test_a_cancelled_call_is_waited_for() -> None:
    """Otherwise a container could be created after the harness removed everything. A second cancellation changes
    nothing."""
    begun, done = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.3)
        done.set()

    async def scenario() -> None:
        with an_engine() as engine:
            call = asyncio.create_task(engine.call(slow))
            await asyncio.to_thread(begun.wait, 5)
            for _ in range(2):
                call.cancel()
                await asyncio.sleep(0.01)
            with pytest.raises(asyncio.CancelledError):
                await call
            assert done.is_set()

    asyncio.run(scenario())


def test_a_cancelled_stream_is_not_waited_for() -> None:
    """A build may send nothing for minutes."""
    release = threading.Event()
    seen: list[object] = []

    def stream() -> list[dict[str, str]]:
        release.wait(5)
        return [{"stream": "late"}]

    async def scenario() -> None:
        with an_engine() as engine:
            following = asyncio.create_task(engine.follow(stream, seen.append))
            await asyncio.sleep(0.05)
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following

    began_s = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - began_s < 2
    release.set()
    assert seen == []
