"""history.jsonl: one line for each run, append-only, safe with two writers.

A line is written by one call to write() on a descriptor that appends, under a lock beside the file, so that lines of
two processes never mix. A writer that is killed within a line leaves a part of it; the next writer begins a new line,
and the reader counts the part as damaged.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.history import Acceptance, History, HistoryEntry
from harness.recording.format import VERSION

HISTORY = "history.jsonl"


def history_path(results: Path) -> Path:
    return results / HISTORY


def append_entry(results: Path, entry: HistoryEntry) -> None:
    """Raises EnvironmentFailure if the history cannot be written."""
    _append(results, _line("run", entry))


def append_acceptance(results: Path, acceptance: Acceptance) -> None:
    """Raises EnvironmentFailure if the history cannot be written."""
    _append(results, _line("acceptance", acceptance))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_history(results: Path) -> History:
    """All lines of ``results``; empty without a file. If a run has several lines, the last one counts: the run was
    judged again. Raises UsageError if the file cannot be read."""
    path = history_path(results)
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    entries: dict[str, HistoryEntry] = {}
    acceptances: list[Acceptance] = []
    damaged = 0
    for line in filter(None, content.split(b"\n")):
        try:
            found = _parsed(line)
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError):
            damaged += 1
            continue
        if isinstance(found, Acceptance):
            acceptances.append(found)
        else:
            entries[found.run] = found
    ordered = sorted(entries.values(), key=lambda entry: (entry.began, entry.run))
    return History(entries=tuple(ordered), acceptances=tuple(acceptances), damaged=damaged)


def rebuild(results: Path, entries: Callable[[History], Iterable[HistoryEntry]]) -> History:
    """Write the file again with the lines that ``entries`` makes of the present history; acceptances stay. Returns the
    new history. No other process appends meanwhile. Raises EnvironmentFailure.
    """
    path = history_path(results)
    try:
        with _locked(results):
            before = read_history(results)
            lines = [_line("run", entry) for entry in entries(before)]
            lines += [_line("acceptance", acceptance) for acceptance in before.acceptances]
            draft = path.with_name(f".{path.name}-{os.getpid()}")
            try:
                draft.write_bytes(b"".join(lines))
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be written: {error.strerror or error}") from error
    return read_history(results)


def _append(results: Path, line: bytes) -> None:
    path = history_path(results)
    try:
        with _locked(results):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                whole = (b"\n" if torn else b"") + line
                if os.write(descriptor, whole) != len(whole):
                    raise OSError("the disk took only a part of the line")
            finally:
                os.close(descriptor)
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def _locked(results: Path) -> Iterator[None]:
    """Hold the history's lock: a file of its own, because `rebuild` replaces the history. It ends with the process."""
    results.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(results / f".{HISTORY}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            import fcntl
        except ImportError:  # no such locks on this system: one append is still one write
            pass
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _line(what: str, value: HistoryEntry | Acceptance) -> bytes:
    document: dict[str, Any] = {"version": VERSION, "what": what, **msgspec.to_builtins(value)}
    return msgspec.json.encode(document) + b"\n"


def _parsed(line: bytes) -> HistoryEntry | Acceptance:
    """Raises msgspec.MsgspecError or ValueError for a line that the harness did not write."""
    document = msgspec.json.decode(line)
    if document.pop("version") != VERSION:
        raise ValueError("another version")
    kinds: dict[str, type[HistoryEntry] | type[Acceptance]] = {"run": HistoryEntry, "acceptance": Acceptance}
    return msgspec.convert(document, kinds[document.pop("what")])
