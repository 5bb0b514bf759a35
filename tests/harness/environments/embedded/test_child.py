"""Real child processes that live a few milliseconds, with a guard that only records pids."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.environments.embedded.child import Child
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import LOG_LINES, last_lines
from tests.reference_server.fakes import until

SLEEP = "print('up', flush=True); import time; time.sleep(60)"


class NotingGuard:
    def __init__(self) -> None:
        self.pids: list[int] = []

    def watch_process(self, pid: int) -> None:
        self.pids.append(pid)


def a_child(folder: Path, code: str, *, program: str = sys.executable) -> tuple[Child, NotingGuard]:
    guard: Any = NotingGuard()
    arguments = (program, "-c", code)
    return Child("database", Role.DATABASE, "postgresql", arguments, log=folder / "log", guard=guard), guard


def test_an_end_that_was_not_asked_for_is_told_with_the_log(tmp_path: Path) -> None:
    """The casualty holds the exit code and the last lines of the log."""

    async def main() -> None:
        child, guard = a_child(tmp_path, "print('no room'); raise SystemExit(3)")
        await until(child.casualty)
        casualty = child.casualty() or ""
        assert "database ended unexpectedly: exit code 3; last lines of " in casualty
        assert casualty.endswith("no room")
        assert guard.pids == [child.component.pid]

    asyncio.run(main())


def test_an_end_that_was_asked_for_is_no_casualty(tmp_path: Path) -> None:
    """The child can be started again. The guard then watches the new process."""

    async def main() -> None:
        child, guard = a_child(tmp_path, SLEEP)
        assert child.ending == ""
        await child.end()
        assert (child.casualty(), child.ending) == (None, "killed by signal 15 (SIGTERM)")
        child.start_again()
        assert child.ending == ""
        await child.kill_family(5.0)
        assert (child.casualty(), child.ending) == (None, "killed by signal 9 (SIGKILL)")
        assert len(set(guard.pids)) == 2

    asyncio.run(main())


def test_a_child_that_ignores_the_stop_signal_or_is_frozen_is_killed(tmp_path: Path) -> None:
    """The harness sends SIGKILL after the time limit."""
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"

    async def main() -> None:
        child, _ = a_child(tmp_path, stubborn)
        await until(lambda: "up" in (tmp_path / "log").read_text())
        child.send_family(signal.SIGSTOP)
        await child.end(timeout_s=0.1)
        assert child.ending == "killed by signal 9 (SIGKILL)"

    asyncio.run(main())


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The test expects an EnvironmentFailure with the system's reason."""
    with pytest.raises(EnvironmentFailure, match="database cannot be started: /no/such/program: No such file"):
        a_child(tmp_path, "", program="/no/such/program")


def test_the_end_of_a_log_is_bounded(tmp_path: Path) -> None:
    """Only a few lines are returned, also from a log with long lines or bytes that are no UTF-8. The message says that
    an empty or missing log is empty."""
    log = tmp_path / "log"
    assert last_lines(log) == f"its log {log} is empty"
    log.write_bytes(b"x" * 100_000 + b"\n\xff\n" + b"".join(b"line %d\n" % n for n in range(100)))
    assert last_lines(log).splitlines()[1:] == [f"  line {n}" for n in range(100 - LOG_LINES, 100)]
