"""baselines.json: named runs, with which other runs are compared. The file keeps the lines of the runs, so a baseline
remains when its recordings are deleted."""

from pathlib import Path

import msgspec

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.history import HistoryEntry
from harness.recording.format import VERSION
from harness.recording.writer import write_json

BASELINES = "baselines.json"
PREFIX = "baseline:"

Baselines = dict[str, tuple[HistoryEntry, ...]]


def read_baselines(results: Path) -> Baselines:
    """Raises UsageError if the file is damaged or of another version."""
    path = results / BASELINES
    if not path.exists():
        return {}
    try:
        document = msgspec.json.decode(path.read_bytes())
        if document["version"] != VERSION:
            raise UsageError(
                f"{path}: expected version {VERSION}, found {document['version']!r}: set the baselines again"
            )
        return msgspec.convert(document["baselines"], Baselines)
    except (OSError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path} cannot be read: expected the baselines of this harness ({error})") from error


def baseline(results: Path, name: str) -> tuple[HistoryEntry, ...]:
    """Raises UsageError with the known names if there is none of this name."""
    known = read_baselines(results)
    if name not in known:
        names = ", ".join(known) or "none yet: make one with `harness baseline set NAME RUN`"
        raise UsageError(f"unknown baseline {name!r} in {results / BASELINES}: known are {names}")
    return known[name]


def set_baseline(results: Path, name: str, entries: tuple[HistoryEntry, ...]) -> None:
    """Raises UsageError for a name that is not valid, EnvironmentFailure if the file cannot be written."""
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name):
        raise UsageError(f"expected a baseline's name of letters, digits, '-', '_' and '.', found {name!r}")
    _write(results, read_baselines(results) | {name: entries})


def remove_baseline(results: Path, name: str) -> None:
    """Raises UsageError if there is none of this name."""
    baseline(results, name)
    _write(results, {other: kept for other, kept in read_baselines(results).items() if other != name})


def _write(results: Path, baselines: Baselines) -> None:
    path = results / BASELINES
    try:
        results.mkdir(parents=True, exist_ok=True)
        write_json(path, {"version": VERSION, "baselines": msgspec.to_builtins(baselines)})
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be written: {error.strerror or error}") from error
