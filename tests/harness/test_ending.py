"""How a run ends, for each error that it may raise."""

import asyncio
import os
import signal
from pathlib import Path
from unittest import mock

import pytest

from harness.ending import COMPLETE, INTERRUPTED, Ending, ending_of, with_full_disk, words_of
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
    """Each kind of error has its own word, sentence and exit code."""
    assert end_with(error) == ending


def test_a_signal_ends_the_work() -> None:
    """The teardown finishes before the ending is known."""
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


def test_an_unforeseen_error_is_reported_with_its_type() -> None:
    """The message of a KeyError alone says nothing."""
    assert words_of(OSError(5, "Input/output error")).startswith("OSError: ")
    assert words_of(EnvironmentFailure("no port")) == "no port"


@pytest.mark.parametrize("how", ["failed", "casualty"])
def test_a_full_disk_is_the_reason_of_an_early_end(how: str, tmp_path: Path) -> None:
    """Any process may have met the full disk first, and it may not have been able to report it."""
    early = Ending(how=how, why="worker-00 ended", exit_code=ExitCode.UNKNOWN)
    assert with_full_disk(early, tmp_path) == early
    with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=4_096)):
        found = with_full_disk(early, tmp_path)
        assert with_full_disk(COMPLETE, tmp_path) == COMPLETE
        assert with_full_disk(INTERRUPTED, tmp_path) == INTERRUPTED
    assert found.exit_code is ExitCode.ENVIRONMENT
    assert found.why.startswith("worker-00 ended; no room is left on the disk of")
