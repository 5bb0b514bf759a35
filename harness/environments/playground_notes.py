"""Notes of running playgrounds, so that `harness down` finds them from another terminal."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.environments.guard import started_at
from harness.model.cluster import Cluster
from harness.model.errors import EnvironmentFailure
from harness.model.machine_folder import machine_folder

PREFIX = "harness-up-"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpState:
    """One playground: the process that keeps it; its start time distinguishes it from a later process with the same
    number."""

    pid: int
    started: str
    urls: tuple[str, ...]
    folder: Path

    @property
    def alive(self) -> bool:
        return bool(self.started) and started_at(self.pid) == self.started


@contextmanager
def published(cluster: Cluster) -> Iterator[Path]:
    """Keep a note of the playground while it is up. Gives the file that holds its token; only this user can read it."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=machine_folder()))  # 0700
    try:
        token = folder / "token"
        token.touch(mode=0o600)
        token.write_text(cluster.token, encoding="utf-8")
        state = {
            "pid": os.getpid(),
            "started": started_at(os.getpid()),
            "urls": [server.url for server in cluster.servers],
        }
        temporary = folder / ".state.json"
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(folder / "state.json")
        yield token
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_all() -> list[UpState]:
    """This user's playgrounds whose process is alive."""
    return [state for state in _written() if state.alive]


def find(pid: int) -> UpState | None:
    return next((state for state in read_all() if state.pid == pid), None)


def remove_leftovers() -> list[Path]:
    """Remove the notes of playgrounds whose process has ended; the guard removes their processes and folders."""
    removed = []
    for state in _written():
        if not state.alive:
            shutil.rmtree(state.folder, ignore_errors=True)
            removed.append(state.folder)
    return removed


def stop(state: UpState, *, timeout_s: float) -> None:
    """Ask the playground's process to end and wait until it has. Raises EnvironmentFailure when it does not."""
    if state.alive:
        os.kill(state.pid, signal.SIGTERM)
    deadline_s = time.monotonic() + timeout_s
    while state.alive and time.monotonic() < deadline_s:
        time.sleep(0.05)
    if state.alive:
        raise EnvironmentFailure(
            f"the cluster of process {state.pid} did not stop within {timeout_s:g} s; end it with `kill -9 "
            f"{state.pid}`, "
            "its guard then ends the rest"
        )


def _written() -> list[UpState]:
    found = []
    for path in sorted(machine_folder().glob(f"{PREFIX}*/state.json")):
        try:
            if path.stat().st_uid != os.getuid():
                continue
            state = json.loads(path.read_text(encoding="utf-8"))
            found.append(
                UpState(
                    pid=int(state["pid"]), started=str(state["started"]), urls=tuple(state["urls"]), folder=path.parent
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being written or removed at this moment
    return found
