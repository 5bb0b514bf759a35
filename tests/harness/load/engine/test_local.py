"""The local engine: real processes, their commands and reports, their ends, and the files that they leave."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.load.engine.job import Action, Command, Job
from harness.load.engine.local import LocalEngine
from tests.harness.plans import a_plan

pytestmark = pytest.mark.integration


def a_job(name: str) -> Job:
    module = "tests.harness.load.engine.echo_job"
    return Job(name=name, module=module, plan=a_plan(), servers=(), token="s3cret")


@contextlib.asynccontextmanager
async def running(folder: Path, *names: str) -> AsyncIterator[LocalEngine]:
    """An engine whose jobs have sent their first report."""
    engine = LocalEngine(folder)
    try:
        await engine.start([a_job(name) for name in names])
        await until(engine, lambda: all(engine.report(name).trouble for name in names))
        yield engine
    finally:
        await engine.end()


async def until(engine: LocalEngine, condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s
        await engine.changed(1.0)


def test_commands_go_in_and_reports_come_out(tmp_path: Path) -> None:
    """Each process gets its own job and its own commands. The engine keeps the newest report."""

    async def scenario() -> None:
        async with running(tmp_path, "one", "two") as engine:
            assert engine.report("one").trouble == "one s3cret"
            engine.send("two", Command(do=Action.PAUSE_READING, clients=(4, 5)))
            await until(engine, lambda: engine.report("two").phase == "pause_reading")
            assert engine.report("two").connected == 2
            assert engine.report("one").phase == ""
            assert engine.ending("one") is None

    asyncio.run(scenario())


def test_the_token_is_not_on_the_command_line(tmp_path: Path) -> None:
    """Every user of the machine can read a command line."""

    async def scenario() -> None:
        async with running(tmp_path, "one") as engine:
            (process,) = engine.components()
            assert process.name == "one"
            assert "s3cret" not in " ".join(psutil.Process(process.pid).cmdline())

    asyncio.run(scenario())


def test_an_end_is_noticed_with_its_reason(tmp_path: Path) -> None:
    """The reason is the exit code and the last lines of the log. Only exit code 0 is in order. A later command to the
    process does no harm."""

    async def scenario() -> None:
        async with running(tmp_path, "one", "two") as engine:
            engine.send("one", Command(do=Action.PROBE))
            engine.send("two", Command(do=Action.FINISH))
            await until(engine, lambda: engine.ending("one") is not None and engine.ending("two") is not None)
            failed, finished = engine.ending("one"), engine.ending("two")
            assert failed is not None
            assert finished is not None
            assert (failed.in_order, failed.how) == (False, "exit code 3")
            assert failed.last_lines.endswith("the job's last line")
            assert str(tmp_path / "logs" / "one.log") in failed.last_lines
            assert (finished.in_order, finished.last_lines) == (True, "")
            engine.send("one", Command(do=Action.CONNECT))

    asyncio.run(scenario())


def test_a_report_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """The fleet then ends the run with this reason, so no report is lost silently."""

    async def scenario() -> None:
        async with running(tmp_path, "one") as engine:
            engine.send("one", Command(do=Action.RESUME_READING))
            await until(engine, lambda: engine.report("one").failed)
            assert "its report cannot be read: " in engine.report("one").trouble

    asyncio.run(scenario())


def test_ending_kills_whatever_runs(tmp_path: Path) -> None:
    """A second `end` does no harm. The ending names the signal."""

    async def scenario() -> list[int]:
        async with running(tmp_path, "one") as engine:
            await engine.end()
            await engine.end()
            ending = engine.ending("one")
            assert ending is not None
            assert (ending.in_order, ending.how) == (False, "killed by signal 9 (SIGKILL)")
            return [process.pid or 0 for process in engine.components()]

    assert not any(psutil.pid_exists(pid) for pid in asyncio.run(scenario()))


def test_fetching_repairs_what_a_killed_process_left(tmp_path: Path) -> None:
    """The killed process wrote three rows. After `fetch` they are readable in the recording's folder."""

    async def scenario() -> None:
        async with running(tmp_path, "one") as engine:
            engine.send("one", Command(do=Action.CONNECT))
            await until(engine, lambda: engine.report("one").phase == "connect")
            await engine.end()
            path = tmp_path / "arrays" / "heartbeat-one.npy"
            assert len(np.load(path)) == 0
            await engine.fetch()
            assert len(np.load(path)) == 3

    asyncio.run(scenario())


def test_waiting_for_a_change_is_bounded(tmp_path: Path) -> None:
    """The wait returns even if nothing changes."""

    async def scenario() -> None:
        async with asyncio.timeout(5):
            await LocalEngine(tmp_path).changed(0.01)

    asyncio.run(scenario())
