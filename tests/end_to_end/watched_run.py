"""`harness run` as a child process, watched from outside."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

LIMIT_S = 100.0
QUICK = (sys.executable, "-m", "tests.end_to_end.quick_harness")
WHOLE = (sys.executable, "-m", "harness.cli")


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """A replacement for the system's temporary folder. Leftovers in it, and the machine lock, belong to this test
    alone.

    Its path is short, because the path of a Unix socket has at most 107 bytes. Other users may pass through it: under
    root, PostgreSQL runs as another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="hr-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(temporary: Path) -> Mapping[str, str]:
    return {**os.environ, "TMPDIR": str(temporary)}


class Run:
    """`harness run scenario-a` at smoke size; ``temporary`` takes the place of the system's temporary folder."""

    def __init__(
        self, out: Path, *options: str, program: tuple[str, ...] = QUICK, temporary: Path | None = None
    ) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [
                *(*program, "run", "scenario-a", "--size", "smoke", "--duration", "20", "--servers", "2"),
                *("--force", "--out", str(out), *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=None if temporary is None else environment(temporary),
        )
        self.lines: list[str] = []
        self.seen: dict[int, float] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.lines.append(line)

    @property
    def errors(self) -> str:
        return "".join(self.lines)

    def wait_for(self, phase: str) -> None:
        """Waits until the run reports that ``phase`` begins."""
        deadline_s = time.monotonic() + LIMIT_S
        while f"] {phase}\n" not in self.errors:
            assert time.monotonic() < deadline_s, self.errors
            assert self.process.poll() is None, self.errors
            time.sleep(0.01)
        self.look()

    def look(self) -> list[psutil.Process]:
        """All child processes of the run. They are remembered, so that ``survivors`` can check later that they are
        gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.process.pid).children(recursive=True)
            self.seen |= {process.pid: process.create_time() for process in found}
            return found
        return []

    def find(self, *words: str) -> psutil.Process:
        """The child process whose command line contains all ``words``."""
        for child in self.look():
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                if all(word in line for word in words):
                    return child
        raise AssertionError(f"no child with {words}")

    def end(self) -> int:
        code = self.process.wait(timeout=LIMIT_S)
        self._reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def survivors(self) -> list[psutil.Process]:
        """Processes of the run that are still alive 10 s later; empty as soon as all are gone."""
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            alive = []
            for pid, created in self.seen.items():
                with contextlib.suppress(psutil.Error):
                    process = psutil.Process(pid)
                    if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                        alive.append(process)
            if not alive:
                return []
            time.sleep(0.1)
        return alive

    def folder(self) -> Path:
        return (self.out / "scenario-a" / "latest").resolve()
