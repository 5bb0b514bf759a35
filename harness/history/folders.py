"""Folders → lines of the history: a run is one, a sweep or a matrix one for each member and one for the whole, a
capacity search one."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from harness.measures.entry import capacity_entry, entry_of
from harness.model.errors import HarnessError, UsageError
from harness.model.history import HistoryEntry
from harness.recording.capacity_folder import is_capacity_folder, read_capacity
from harness.recording.format import EVENTS, PLAN, RUNS, VERDICT, Document
from harness.recording.matrix_folder import cell_folder, is_matrix_folder, read_matrix
from harness.recording.reader import read_events, read_machine, read_verdict
from harness.recording.sweep_folder import is_sweep_folder, member_folder, read_sweep


def entries_of(
    folder: Path, results: Path, *, labels: Mapping[str, str] | None = None, revision: str = ""
) -> tuple[HistoryEntry, ...]:
    """The lines of one folder. Raises UsageError if it is none of the four, or was not judged."""
    if is_capacity_folder(folder):
        machine = _first_machine(sorted((folder / RUNS).glob("*")))
        capacity = read_capacity(folder)
        run = place(folder, results)
        return (capacity_entry(capacity, machine, read_events(folder), run=run, labels=labels, revision=revision),)
    found = _members(folder)
    if found is None:
        return (_entry(folder, results, labels=labels, revision=revision),)
    kind, members = found
    entries = tuple(
        _entry(path, results, kind="member", point=point, labels=labels, revision=revision)
        for point, path in members
        if (path / VERDICT).is_file()
    )
    whole = entry_of(
        read_verdict(folder),
        _first_machine(path for _, path in members),
        read_events(folder),
        run=place(folder, results),
        kind=kind,
        labels=labels,
        revision=revision,
    )
    return (*entries, whole)


def _members(folder: Path) -> tuple[str, list[tuple[str, Path]]] | None:
    """The kind of a folder of several runs, and (point, folder) of each; None for the folder of one run."""
    if is_sweep_folder(folder):
        sweep = read_sweep(folder)
        return "sweep", [(f"{m.curve} {m.plan.servers} servers", member_folder(folder, m)) for m in sweep.members]
    if is_matrix_folder(folder):
        cells = read_matrix(folder).running
        return "matrix", [
            (f"{cell.system.name} {cell.scenario} {cell.servers} servers", cell_folder(folder, cell)) for cell in cells
        ]
    return None


def _entry(
    folder: Path,
    results: Path,
    *,
    kind: str = "run",
    point: str = "",
    labels: Mapping[str, str] | None = None,
    revision: str = "",
) -> HistoryEntry:
    return entry_of(
        read_verdict(folder),
        read_machine(folder),
        read_events(folder),
        run=place(folder, results),
        kind=kind,
        point=point,
        labels=labels,
        revision=revision,
    )


def _first_machine(folders: Iterable[Path]) -> Document:
    """The machine by the first run that described it; empty if none did."""
    return next((found for folder in folders if (found := read_machine(folder))), {})


def place(folder: Path, results: Path) -> str:
    """The folder's path relative to ``results``, or the whole path if it is elsewhere. ``latest`` is resolved."""
    return Path(os.path.relpath(folder.resolve(), results.resolve())).as_posix()


def found_again(results: Path, before: Mapping[str, HistoryEntry]) -> Iterator[HistoryEntry]:
    """The lines of every folder below ``results`` that can be read; labels and revision of a run are taken from
    ``before``. Runs whose recording is gone keep their line."""
    seen = set()
    for folder in _folders(results):
        try:
            entries = entries_of(folder, results)
        except (HarnessError, OSError, ValueError, KeyError, msgspec.MsgspecError):
            continue  # not judged, or of another version: nothing is known of it
        for entry in entries:
            known = before.get(entry.run)
            if known is not None:
                entry = replace(entry, labels=known.labels, revision=known.revision)
            seen.add(entry.run)
            yield entry
    for run, entry in before.items():
        if run not in seen:
            yield entry


def _folders(results: Path) -> Iterator[Path]:
    """Every run, sweep and search below ``results``; links are not counted as runs."""
    try:
        for scenario in sorted(results.iterdir()):
            if scenario.is_dir() and not scenario.is_symlink():
                for folder in sorted((*scenario.iterdir(), *scenario.glob("capacity/*"))):
                    if not folder.is_symlink() and ((folder / PLAN).is_file() or is_capacity_folder(folder)):
                        yield folder
    except OSError as error:
        raise UsageError(f"{results} cannot be read: {error.strerror or error}") from error


def is_run_folder(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (PLAN, EVENTS)) or is_capacity_folder(folder)
