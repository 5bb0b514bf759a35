"""The guard: a process that ends the harness's child processes when the harness has ended, also by SIGKILL.

`python -m harness.environments.guard` reads lines from its standard input, a pipe whose other end only the harness
holds:

    ["process", PID, START]   a child; START is its start time as the kernel counts it, so that a recycled PID is
    recognised ["folder", PATH]          a temporary folder of the run

The lines are JSON in ASCII: a path may hold a newline, a space at its end, or bytes that are no text.

At end of file it terminates the processes that still run, kills those that run after a time limit, and removes the
folders. After a complete teardown it has no work. After a teardown that was cut short (a second Ctrl-C) it does the
rest. It uses only the standard library, has its own session, and ignores the signals of a terminal.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

GRACE_S = 3.0


def started_at(pid: int) -> str:
    """When process ``pid`` started, as the kernel writes it; empty if there is no such process, or only a zombie."""
    try:
        # The name in parentheses may hold anything, so count from the last one. In proc(5)'s numbers: field 3 is the
        # state, field 22 the start time.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        pass
    try:
        shown = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - where ps lives differs between systems without /proc
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "-".join(shown.stdout.split())


class Guard:
    """Starts the guard and writes to its pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # The variables that the interpreter needs, and the search path for `ps`.
            env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LC_ALL", "TZ") if name in os.environ},
        )

    def watch_process(self, pid: int) -> None:
        self._write("process", pid, started_at(pid))

    def watch_folder(self, folder: Path) -> None:
        self._write("folder", str(folder))

    def close(self) -> None:
        """End the processes that still run, remove the folders, and wait until that is done. A second call does
        nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=3 * GRACE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, *words: str | int) -> None:
        assert self._process.stdin is not None
        # The run continues even if its guard was killed.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{json.dumps(words)}\n".encode())
            self._process.stdin.flush()


def descendants(pid: int) -> list[int]:
    """All processes below ``pid`` now; none if `ps` fails."""
    try:
        shown = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - where ps lives differs between systems
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    children: dict[int, list[int]] = {}
    for line in shown.stdout.splitlines():
        child, _, parent = line.strip().partition(" ")
        children.setdefault(int(parent), []).append(int(child))
    found = list(children.get(pid, ()))
    for each in found:
        found += children.get(each, ())
    return found


def _send(number: int, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_processes(processes: list[tuple[int, str]], grace_s: float) -> None:
    """Terminate those (pid, start time) that are still the same processes; kill the remaining ones after
    ``grace_s``."""

    def alive() -> list[int]:
        return [pid for pid, start in processes if start and started_at(pid) == start]

    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in alive():
            below = descendants(pid)
            _send(number, [pid])
            # A stopped process handles SIGTERM only after SIGCONT, and so do the processes below it.
            _send(signal.SIGCONT, [pid, *below])
            if number == signal.SIGKILL:
                _send(number, below)
        deadline_s = time.monotonic() + grace_s
        while alive() and time.monotonic() < deadline_s:
            time.sleep(0.02)


def remove_folder(folder: str, patience_s: float) -> None:
    """Remove ``folder``; again for ``patience_s`` while a dying process still writes into it."""
    deadline_s = time.monotonic() + patience_s
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder) or time.monotonic() >= deadline_s:
            return
        time.sleep(0.05)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes: list[tuple[int, str]] = []
    folders: list[str] = []
    for line in sys.stdin:
        word, *rest = json.loads(line)
        if word == "process":
            pid, start = rest
            processes.append((pid, start))
        elif word == "folder":
            folders += rest
    # PostgreSQL was started before the servers and is ended after them: newest first.
    end_processes(processes[::-1], GRACE_S)
    for folder in folders:
        remove_folder(folder, GRACE_S)


if __name__ == "__main__":
    main()
