"""Reads a recording in any folder, and never writes to it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from harness.model.clock import Clocks
from harness.model.errors import UsageError
from harness.model.finding import Verdict
from harness.model.incident import Incident, IncidentList
from harness.model.plan import Plan
from harness.recording import format as layout
from harness.recording.format import Document
from harness.recording.seal import require_seal

Rows = NDArray[np.void]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one load worker saw: rows of deliveries-NN, frames-NN, sessions-NN, memory-mapped."""

    deliveries: Rows
    frames: Rows
    sessions: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """All parts of a recording. Absent parts are empty or None; layouts are those of `harness.recording.format`.

    ``seen`` is by load worker, ``accepted``, ``delivered`` and ``backplane`` by server index, ``heartbeats`` and
    ``incidents`` by process.
    """

    folder: Path
    plan: Plan
    machine: Document
    clocks: Clocks | None
    events: tuple[Document, ...]
    telemetry: tuple[Document, ...]
    posts: Rows
    seen: Mapping[int, Seen]
    heartbeats: Mapping[str, Rows]
    accepted: Mapping[int, Rows]
    delivered: Mapping[int, Rows]
    backplane: Mapping[int, Rows]
    stored: Rows | None
    incidents: Mapping[str, tuple[Incident, ...]]

    @classmethod
    def open(cls, folder: Path) -> "Recording":
        """Raises UsageError for a folder that is not a recording, is of another version, or has files that are damaged
        or differ from the seal."""
        plan = read_plan(folder)
        events = tuple(read_events(folder))
        require_seal(folder, events)
        arrays = folder / layout.ARRAYS
        stored = arrays / "stored.npy"
        workers = _numbered(arrays, "deliveries")
        return cls(
            folder=folder,
            plan=plan,
            machine=read_machine(folder),
            clocks=read_clocks(folder),
            events=events,
            telemetry=tuple(_lines(folder / layout.TELEMETRY, at_ns=int)),
            posts=_rows(arrays / "posts.npy", layout.POST),
            seen={
                number: Seen(
                    deliveries=_rows(path, layout.DELIVERY),
                    frames=_rows(arrays / f"frames-{number:02}.npy", layout.FRAME),
                    sessions=_rows(arrays / f"sessions-{number:02}.npy", layout.SESSION),
                )
                for number, path in workers.items()
            },
            heartbeats={
                path.stem.removeprefix("heartbeat-"): _rows(path, layout.HEARTBEAT)
                for path in sorted(arrays.glob("heartbeat-*.npy"))
            },
            accepted={n: _rows(path, layout.ACCEPTED) for n, path in _numbered(arrays, "accepted").items()},
            delivered={n: _rows(path, layout.DELIVERED) for n, path in _numbered(arrays, "delivered").items()},
            backplane={n: _rows(path, layout.BACKPLANE) for n, path in _numbered(arrays, "backplane").items()},
            stored=_rows(stored, layout.STORED) if stored.exists() else None,
            incidents={
                path.stem.removeprefix(f"{layout.INCIDENTS}-"): _incidents(path)
                for path in sorted(arrays.glob(f"{layout.INCIDENTS}-*.json"))
            },
        )

    def event(self, word: str) -> Document | None:
        """The last event of that word."""
        return next((event for event in reversed(self.events) if event.get("event") == word), None)


def read_plan(folder: Path) -> Plan:
    path = folder / layout.PLAN
    if not path.is_file():
        raise UsageError(f"{folder}: expected a run's folder with {layout.PLAN} in it, e.g. results/scenario-a/latest")
    document = _document(path)
    _expect_version(path, document)
    return _convert(path, document.get("plan"), Plan)


def read_machine(folder: Path) -> Document:
    """machine.json; empty if the run ended before it was written."""
    path = folder / layout.MACHINE
    return _document(path) if path.exists() else {}


def read_clocks(folder: Path) -> Clocks | None:
    """clocks.json; None if the run ended before it was written."""
    path = folder / layout.CLOCKS
    if not path.exists():
        return None
    document = _document(path)
    _expect_version(path, document)
    return _convert(path, _without_version(document), Clocks)


def read_events(folder: Path) -> list[Document]:
    """Raises UsageError for a line that lacks what the judge reads of its event."""
    path = folder / layout.EVENTS
    events = _lines(path, event=str, at_ns=int)
    for number, event in enumerate(events, 1):
        for name, kinds in layout.EVENT_FIELDS.get(event["event"], {}).items():
            if not isinstance(event.get(name), kinds):
                raise UsageError(
                    f"{path}, line {number}: expected {name!r}, a {kinds[0].__name__}, in {event['event']!r}"
                )
    return events


def read_verdict(folder: Path) -> Verdict:
    """verdict.json with series.json. Raises UsageError if the run was not judged."""
    read_plan(folder)
    path = folder / layout.VERDICT
    if not path.exists():
        raise UsageError(f"{folder} has no {layout.VERDICT}: judge the run first with `harness judge {folder}`")
    series = folder / layout.SERIES
    document = _document(path)
    _expect_version(path, document)
    curves = _document(series) if series.exists() else {}
    return _convert(path, _without_version(document) | {"series": curves}, Verdict)


def read_queries(folder: Path) -> tuple[list[str], Rows]:
    """(statements, rows of queries.npy); both empty if PostgreSQL's log was not kept."""
    texts = folder / layout.ARRAYS / layout.STATEMENTS
    if not texts.exists():
        return [], np.empty(0, layout.QUERY)
    return json.loads(texts.read_text(encoding="utf-8")), _rows(folder / layout.ARRAYS / "queries.npy", layout.QUERY)


def _incidents(path: Path) -> tuple[Incident, ...]:
    document = _document(path)
    _expect_version(path, document)
    return _convert(path, document, IncidentList).incidents


def _expect_version(path: Path, document: Document) -> None:
    """Raises UsageError, which names the harness that reads it, if ``document`` is of another version."""
    found = document.get("version")
    if found != layout.VERSION:
        reader = layout.READ_BY.get(found) if isinstance(found, int) else None
        remedy = f"use harness {reader}, which reads it" if reader else "use the harness that made it"
        raise UsageError(
            f"{path}: expected version {layout.VERSION}, found version {found!r}: {remedy}, or make the run again"
        )


def _without_version(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "version"}


def _document(path: Path) -> Document:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: expected a JSON object ({error})") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path}: expected a JSON object, found {type(document).__name__}")
    return document


def _convert(path: Path, value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} does not hold what its version says: {error}") from error


def _lines(path: Path, **fields: type) -> list[Document]:
    """The objects of a .jsonl file, each with ``fields`` of these types; an incomplete last line of a killed process is
    ignored."""
    if not path.exists():
        return []
    try:
        # A JSON text may hold other characters that end a line for Python.
        *lines, half = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: expected lines of JSON ({error.strerror})") from error
    found = []
    for number, line in enumerate([*lines, half] if half else lines, 1):
        try:
            found.append(_checked_object(json.loads(line), fields))
        except (ValueError, RecursionError) as error:
            if number > len(lines):
                break
            raise UsageError(f"{path}, line {number}: expected a JSON object ({error})") from error
    return found


def _checked_object(value: Any, fields: Mapping[str, type]) -> Document:
    """Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")
    for name, kind in fields.items():
        if type(value.get(name)) is not kind:
            raise ValueError(f"expected {name!r} of type {kind.__name__}")
    return value


def _numbered(arrays: Path, part: str) -> dict[int, Path]:
    found = {}
    for path in sorted(arrays.glob(f"{part}-*.npy")):
        if match := re.fullmatch(rf"{part}-(\d+)\.npy", path.name):
            found[int(match[1])] = path
    return found


def _rows(path: Path, dtype: "np.dtype[np.void]") -> Rows:
    """The file's rows, memory-mapped read-only; by its length if its writer did not close it. Empty if absent."""
    if not os.path.lexists(path):
        return np.empty(0, dtype)
    if not path.is_file():  # a pipe may have no writer, and reading would wait for ever
        raise UsageError(f"{path} cannot be read: expected a NumPy file, found something else")
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, found = reader(file)
            offset = file.tell()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: expected a NumPy file ({error})") from error
    if len(shape) != 1:
        raise UsageError(f"{path}: expected rows in one dimension, found {len(shape)}")
    if found != dtype:
        raise UsageError(f"{path}: expected rows of {dtype}, found {found}")
    whole = (path.stat().st_size - offset) // dtype.itemsize
    rows = shape[0] if 0 < shape[0] <= whole else whole
    if shape[0] > whole:
        raise UsageError(
            f"{path} is cut short: its header names {shape[0]:,} rows, the file holds {whole:,}; copy it again"
        )
    return np.memmap(path, dtype, mode="r", offset=offset, shape=(rows,)) if rows else np.empty(0, dtype)
