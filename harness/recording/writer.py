"""Writes the small files of a recording. Each file is replaced in one step, so that a reader never sees an incomplete
file."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from harness.model.clock import Clocks
from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.recording.format import ARRAYS, CLOCKS, EVENTS, LOGS, MACHINE, PLAN, SERIES, VERDICT, VERSION, Document

ESCAPED = "backslashreplace"
"""A path may hold bytes that are not text, which UTF-8 cannot write. Python's escape of such a byte is valid in JSON
too."""


def create_folder(results: Path, plan: Plan) -> Path:
    """A new folder ``results/<scenario>/<UTC time>/`` with plan.json in it, and ``latest`` pointing to it.

    Raises EnvironmentFailure if it cannot be written.
    """
    return new_folder(results / plan.scenario, lambda folder: fill_folder(folder, plan))


def new_folder(family: Path, fill: Callable[[Path], None]) -> Path:
    """A new folder ``family/<UTC time>/`` that ``fill`` makes, and ``latest`` pointing to it.

    Raises EnvironmentFailure if it cannot be written.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    try:
        family.mkdir(parents=True, exist_ok=True)
        for number in range(1, 100):
            folder = family / (stamp if number == 1 else f"{stamp}-{number}")
            try:
                fill(folder)
                break
            except FileExistsError:
                continue  # another run began in the same second
        _point_latest(family, folder)
    except OSError as error:
        raise EnvironmentFailure(f"results cannot be written below {family}: {error.strerror or error}") from error
    return folder


def fill_folder(folder: Path, plan: Plan) -> None:
    """Make ``folder``, which must not exist, with the first files of every recording. Raises OSError."""
    folder.mkdir()
    (folder / ARRAYS).mkdir()
    (folder / LOGS).mkdir()
    write_plan(folder, plan)


def write_plan(folder: Path, plan: Plan) -> None:
    """Write plan.json, or replace it. Raises OSError."""
    write_json(folder / PLAN, {"version": VERSION, "plan": asdict(plan)})


def _point_latest(family: Path, folder: Path) -> None:
    """Replace the link in one step, so that ``latest`` always points to a folder."""
    link = family / f".latest-{os.getpid()}"
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(folder.name, target_is_directory=True)
        link.replace(family / "latest")
    except OSError:
        link.unlink(missing_ok=True)  # a file system without links: the newest is the last in the list


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` in one step."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        temporary.write_text(
            json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", errors=ESCAPED
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_clocks(folder: Path, clocks: Clocks) -> None:
    """Write clocks.json. Raises EnvironmentFailure if the folder cannot be written."""
    try:
        write_json(folder / CLOCKS, {"version": VERSION, **msgspec.to_builtins(clocks)})
    except OSError as error:
        raise EnvironmentFailure(f"the clocks cannot be written to {folder}: {error.strerror or error}") from error


def verdict_document(verdict: Verdict) -> Document:
    """The content of verdict.json: everything but the curves."""
    document: Document = msgspec.to_builtins(verdict)
    del document["series"]
    return {"version": VERSION, **document}


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write verdict.json and series.json. Raises EnvironmentFailure if the folder cannot be written."""
    try:
        write_json(folder / VERDICT, verdict_document(verdict))
        write_json(folder / SERIES, msgspec.to_builtins(dict(verdict.series)))
    except OSError as error:
        raise EnvironmentFailure(f"the verdict cannot be written to {folder}: {error.strerror or error}") from error


class Journal:
    """events.jsonl, flushed with every event, and machine.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / EVENTS).open("a", encoding="utf-8", errors=ESCAPED)

    def event(self, event: str, **fields: Any) -> None:
        wall = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"at_ns": time.monotonic_ns(), "wall": wall, "event": event, **fields}
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def machine(self, description: Document) -> None:
        write_json(self._folder / MACHINE, description)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
