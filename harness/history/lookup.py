"""Names on the command line → lines of the history: folders, patterns, baselines, runs whose recording is gone."""

import glob
from collections.abc import Sequence
from pathlib import Path

from harness.history.baselines import PREFIX, baseline
from harness.history.folders import entries_of, is_run_folder, place
from harness.model.errors import UsageError
from harness.model.history import History, HistoryEntry


def look_up(results: Path, names: Sequence[str], history: History) -> tuple[HistoryEntry, ...]:
    """Every run once, in the order of the names. Raises UsageError if a name matches none."""
    found: dict[str, HistoryEntry] = {}
    for name in names:
        for entry in _named(results, name, history):
            found.setdefault(entry.run, entry)
    return tuple(found.values())


def _named(results: Path, name: str, history: History) -> tuple[HistoryEntry, ...]:
    if name.startswith(PREFIX):
        return baseline(results, name.removeprefix(PREFIX))
    known = {entry.run: entry for entry in history.entries}
    path = Path(name)
    if path.exists():
        return _of_folder(results, path, known)
    if glob.has_magic(name):
        # Links such as `latest` would count a run twice.
        folders = [Path(each) for each in sorted(glob.glob(name)) if not Path(each).is_symlink()]
        folders = [folder for folder in folders if is_run_folder(folder)]
        if not folders:
            raise UsageError(f"expected runs, found none that match {name}")
        return tuple(entry for folder in folders for entry in _of_folder(results, folder, known))
    for run in (name, place(path, results)):
        if run in known:
            return (known[run],)
    raise UsageError(
        f"expected a run's folder, a pattern, a run of the history in {results}, or {PREFIX}NAME; found {name!r}"
    )


def _of_folder(results: Path, folder: Path, known: dict[str, HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """The line by the present content of the folder; labels and revision are only in the history."""
    from dataclasses import replace

    entries = entries_of(folder, results)
    return tuple(
        replace(entry, labels=known[entry.run].labels, revision=known[entry.run].revision)
        if entry.run in known
        else entry
        for entry in entries
    )
