"""The owner of labelled objects: a run of one process of one machine, alive or dead."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from harness.environments.guard import started_at

RUN = "broadcast-harness.run"
OWNER = "broadcast-harness.owner"
PART = "broadcast-harness.part"
LOGS = "broadcast-harness.logs"
"""Where the run keeps logs, so that those of a dead run can still be put there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One process. Its number is valid only within ``boot`` (one start of one kernel) and ``pids`` (one namespace);
    ``started`` distinguishes it from a later process with the same number. Empty if the system has none."""

    machine: str
    boot: str
    pids: str
    pid: int
    started: str

    @classmethod
    def of_this_process(cls) -> Self:
        return cls(
            machine=f"{platform.node()} {_read('/etc/machine-id')}".strip(),
            boot=_read("/proc/sys/kernel/random/boot_id"),
            pids=_link("/proc/self/ns/pid"),
            pid=os.getpid(),
            started=started_at(os.getpid()),
        )

    @classmethod
    def read(cls, label: str) -> Self | None:
        """From a label; None if it is not one of ours, or of a version that wrote others."""
        try:
            return cls(**json.loads(label))
        except (ValueError, TypeError):
            return None

    @property
    def label(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def labels(*, run_id: str, owner: Owner, logs: Path) -> dict[str, str]:
    """The labels of every object that a run makes."""
    return {RUN: run_id, OWNER: owner.label, LOGS: str(logs.resolve())}


def is_dead(owner: Owner, here: Owner, *, anything_runs: bool) -> bool:
    """Whether ``owner`` is certainly dead, seen from ``here``. In doubt it counts as alive: an engine may serve several
    machines. ``anything_runs``: whether a container of the run is running. After a restart of this machine none of its
    own containers runs.
    """
    if owner.machine != here.machine:
        return False
    if owner.boot != here.boot:
        # The machine was started since. Or another one has its name and number; then that one's containers run.
        return not anything_runs
    if owner.pids != here.pids or not owner.started or not here.started:
        return False
    return started_at(owner.pid) != owner.started


def owner_of(found: Mapping[str, str]) -> Owner | None:
    """The owner that these labels name."""
    return Owner.read(found.get(OWNER, ""))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
