import asyncio
import os
import signal
import subprocess
import sys

import pytest

from harness.interruption import interrupted_by, interrupting_signals


def test_three_signals_interrupt() -> None:
    assert set(interrupting_signals()) >= {signal.SIGTERM}
    assert set(interrupting_signals()) <= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    """nohup ignores SIGHUP, and a shell ignores SIGINT for background jobs."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert number not in interrupting_signals()
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("when", ["at once", "behind the loop"])
def test_a_signal_interrupts_from_the_first_moment_to_the_last(number: signal.Signals, when: str) -> None:
    """The signal comes before the run's event loop, or after it, while the run is judged."""
    script = f"""
import asyncio, os, sys
from harness.interruption import interrupted_by, take_signals
take_signals()
async def work():
    with interrupted_by(lambda: None):
        os.kill(os.getpid(), {number:d})
        await asyncio.sleep(0)
if {when == "behind the loop"}:
    asyncio.run(work())
try:
    os.kill(os.getpid(), {number:d})
except KeyboardInterrupt:
    sys.exit(5)
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=30).returncode == 5


@pytest.mark.parametrize("blocked", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_signal_settings_of_the_parent_are_undone(blocked: str) -> None:
    """A blocked signal would never arrive. If SIGCHLD is ignored, every child's exit code is lost."""
    child = """
import os, signal, subprocess, sys
from harness.interruption import take_signals
take_signals()
assert subprocess.run([sys.executable, "-c", "raise SystemExit(7)"]).returncode == 7
try:
    os.kill(os.getpid(), signal.BLOCKED)
except KeyboardInterrupt:
    sys.exit(5)
"""
    parent = f"""
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.{blocked}])
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
    ended = subprocess.run([sys.executable, "-c", parent, child.replace("BLOCKED", blocked)], timeout=30)
    assert ended.returncode == 5


def test_inside_the_block_a_signal_calls_the_handler() -> None:
    """After the block the previous handler is back."""
    called: list[bool] = []
    before = signal.getsignal(signal.SIGTERM)

    async def work() -> None:
        with interrupted_by(lambda: called.append(True)):
            os.kill(os.getpid(), signal.SIGTERM)
            while not called:
                await asyncio.sleep(0.01)
        assert signal.getsignal(signal.SIGTERM) == before

    asyncio.run(asyncio.wait_for(work(), 10))
