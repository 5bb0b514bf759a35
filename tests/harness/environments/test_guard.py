import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.environments.guard import Guard, started_at

PARENT = """
import subprocess, sys, time
from pathlib import Path
from harness.environments.guard import Guard
guard = Guard()
code = "import signal, time; signal.signal(signal.SIGTERM, {term}); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
guard.watch_process(child.pid)
folder = Path(sys.argv[1]); folder.mkdir(); (folder / "file").write_text("x")
guard.watch_folder(folder)
print(child.pid, flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("term", ["signal.SIG_DFL", "signal.SIG_IGN"])
def test_children_and_folder_go_when_the_parent_is_killed(tmp_path: Path, term: str) -> None:
    """The parent is killed with SIGKILL. The guard ends the child, even if it ignores SIGTERM, and removes the
    folder."""
    folder = tmp_path / "temporary"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.replace("{term}", term), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline_s = time.monotonic() + 15
    while not (gone(child) and not folder.exists()):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_guard_that_is_closed_ends_what_is_left(tmp_path: Path) -> None:
    """The guard finishes an incomplete teardown before `close` returns."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    folder = tmp_path / "temporary"
    folder.mkdir()
    with Guard() as guard:
        guard.watch_process(left.pid)
        guard.watch_folder(folder)
    assert left.wait(timeout=1) == -signal.SIGTERM
    assert not folder.exists()


def test_a_recycled_pid_is_not_touched(tmp_path: Path) -> None:
    """A process with the same pid but another start time is not a process of the harness."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    guard = Guard()
    assert guard._process.stdin is not None
    guard._process.stdin.write(f"process {bystander.pid} 12345\nfolder {tmp_path / 'done'}\n".encode())
    (tmp_path / "done").mkdir()
    guard._process.stdin.close()
    guard._process.wait(timeout=10)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_the_start_time_of_no_process_is_empty() -> None:
    """An empty start time matches no process."""
    assert started_at(2**22 - 1) == ""
    assert started_at(os.getpid()) == started_at(os.getpid()) != ""


def test_terminal_signals_do_not_reach_the_guard(tmp_path: Path) -> None:
    """Only the harness reacts to Ctrl-C and SIGTERM. The guard stays until its pipe ends."""
    guard = Guard()
    time.sleep(0.3)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        guard._process.send_signal(number)
    time.sleep(0.2)
    assert guard._process.poll() is None
    guard.close()
    assert guard._process.poll() == 0


@pytest.mark.parametrize("name", ["a\nb", "a ", " a", "größe", "\udcff", "\u2028"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """TMPDIR may hold every byte except NUL."""
    folder = tmp_path / name
    folder.mkdir()
    with Guard() as guard:
        guard.watch_folder(folder)
    assert not folder.exists()
    assert tmp_path.exists()
