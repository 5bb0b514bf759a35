"""The seal of a recording: the size and the SHA-256 checksum of each of its files, taken when the run has ended.

If a file of a copied recording is missing, a judge would blame the service for the missing rows. So a sealed
recording is compared with its seal before it is judged.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from harness.model.errors import UsageError
from harness.recording.format import ARRAYS, CLOCKS, EVENTS, MACHINE, PLAN, SEAL, TELEMETRY, VERSION, Document
from harness.recording.writer import Journal, write_json

SEALED_FILES = (PLAN, MACHINE, CLOCKS, EVENTS, TELEMETRY)
"""Beside all files of arrays/. A verdict is not made from logs, verdict or report."""
NAMED = 5
"""The number of damaged files that a message names; it counts the others."""


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    """relative to the recording's folder, with forward slashes"""
    size_bytes: int
    sha256: str


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    files: tuple[SealedFile, ...]


def write_seal(folder: Path) -> None:
    """Write seal.json over the files as they are now. Raises OSError."""
    seal = Seal(version=VERSION, files=tuple(_sealed(folder, path) for path in _files(folder)))
    write_json(folder / SEAL, msgspec.to_builtins(seal))


def end_recording(folder: Path, journal: Journal, *, how: str, why: str) -> None:
    """The last event, then the seal. Raises OSError if even the events cannot be written (a full disk)."""
    journal.event("ended", how=how, why=why, sealed=True)
    try:
        write_seal(folder)
    except OSError as error:
        journal.event("unsealed", why=error.strerror or str(error))
    except BaseException as error:
        journal.event("unsealed", why=type(error).__name__)
        raise


def require_seal(folder: Path, events: Sequence[Document]) -> None:
    """Raise UsageError, with every difference, if the files differ from the seal. If the ``events`` do not say that the
    recording was sealed, the run ended early: it needs no seal.
    """
    path = folder / SEAL
    if not path.exists():
        words = {event.get("event") for event in events if event.get("sealed") or event.get("event") == "unsealed"}
        if words == {"ended"}:
            raise UsageError(_refusal(folder, [f"{SEAL} is missing"]))
        return
    try:
        seal = msgspec.json.decode(path.read_bytes(), type=Seal)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(_refusal(folder, [f"{SEAL} cannot be read ({error})"])) from error
    if found := list(_differences(folder, seal)):
        raise UsageError(_refusal(folder, found))


def _differences(folder: Path, seal: Seal) -> Iterator[str]:
    """One phrase for each file that is missing, changed, or additional."""
    sealed = {file.path: file for file in seal.files}
    present = {_relative(folder, path): path for path in _files(folder)}
    for name, file in sealed.items():
        path = present.get(name)
        if path is None:
            yield f"{name} is missing"
            continue
        size_bytes = path.stat().st_size
        if size_bytes != file.size_bytes:
            yield f"{name} has {size_bytes:,} bytes instead of {file.size_bytes:,}"
        elif _sha256(path) != file.sha256:
            yield f"{name} has another checksum"
    for name in present.keys() - sealed.keys():
        yield f"{name} is not of this recording"


def _refusal(folder: Path, found: list[str]) -> str:
    rest = len(found) - NAMED
    names = "; ".join(found[:NAMED]) + (f"; and {rest} more" if rest > 0 else "")
    return f"{folder}: expected the recording as it was sealed, found that {names}: copy it again from its source"


def _files(folder: Path) -> list[Path]:
    """The files that a seal covers, in order of their names."""
    rows = sorted(path for path in (folder / ARRAYS).glob("*") if path.is_file() and not path.name.startswith("."))
    return [path for name in SEALED_FILES if (path := folder / name).is_file()] + rows


def _relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _sealed(folder: Path, path: Path) -> SealedFile:
    return SealedFile(path=_relative(folder, path), size_bytes=path.stat().st_size, sha256=_sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
