"""How a run ends, from what was raised in it."""

import asyncio
import os
import signal

import pytest

from harness.ending import COMPLETE, INTERRUPTED, Ending, ending_of, words_of
from harness.exit_codes import ExitCode
from harness.model.errors import EnvironmentFailure, WorkerLost
from tests.harness.test_experiment import Silent


def end_with(error: BaseException | None) -> Ending:
    async def work() -> None:
        if error is not None:
            raise error

    async def body() -> Ending:
        return await ending_of(work(), Silent())

    return asyncio.run(body())


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (None, COMPLETE),
        (asyncio.CancelledError(), INTERRUPTED),
        (WorkerLost("worker-00"), Ending(how="casualty", why="worker-00", exit_code=ExitCode.UNKNOWN)),
        (EnvironmentFailure("no port"), Ending(how="failed", why="no port", exit_code=ExitCode.ENVIRONMENT)),
        (
            ZeroDivisionError("planted"),
            Ending(
                how="failed",
                why="a bug in the harness itself: ZeroDivisionError: planted",
                exit_code=ExitCode.ENVIRONMENT,
            ),
        ),
    ],
)
def test_errors_become_the_ending(error: BaseException | None, ending: Ending) -> None:
    """Each kind of error has its word, its sentence and its exit code."""
    assert end_with(error) == ending


def test_a_signal_ends_the_work() -> None:
    """What is torn down on the way out is torn down before the ending is known."""
    torn_down: list[bool] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            torn_down.append(True)

    async def body() -> Ending:
        async with asyncio.timeout(10):
            return await ending_of(work(), Silent())

    assert asyncio.run(body()) == INTERRUPTED
    assert torn_down == [True]


def test_an_error_that_nobody_foresaw_is_told_with_its_type() -> None:
    """The message of a KeyError alone says nothing."""
    assert words_of(OSError(28, "No space left on device")).startswith("OSError: ")
    assert words_of(EnvironmentFailure("no port")) == "no port"
