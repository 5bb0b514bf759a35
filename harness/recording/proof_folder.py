"""The folder of a proof: results/prove/<UTC time>/ with proof.json, and a note of the newest one on this machine."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from harness.model.errors import EnvironmentFailure
from harness.model.proof import LastProof, Proof
from harness.recording.writer import write_json

FAMILY = "prove"
PROOF = "proof.json"
PROOF_PAGE = "proof.html"
STATE_VARIABLE = "XDG_STATE_HOME"
NOTES = "broadcast-harness"
KEPT_SCOPES = ("quick", "whole")
"""A proof of a few chosen bugs does not cover the rest, so it gets no note."""


def create_proof_folder(results: Path) -> Path:
    """A new folder for a proof below ``results``. Raises EnvironmentFailure if it cannot be made."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    try:
        for number in range(1, 100):
            folder = results / FAMILY / (stamp if number == 1 else f"{stamp}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue  # another proof began in the same second
            return folder
    except OSError as error:
        raise EnvironmentFailure(f"a proof cannot be written below {results}: {error.strerror or error}") from error
    raise EnvironmentFailure(f"a proof cannot be written below {results}: 99 proofs began in this second")


def write_proof(folder: Path, proof: Proof) -> None:
    """Write proof.json. Raises EnvironmentFailure."""
    try:
        write_json(folder / PROOF, msgspec.to_builtins(proof))
    except OSError as error:
        raise EnvironmentFailure(f"the proof cannot be written to {folder}: {error.strerror or error}") from error


def note_proof(proof: Proof, folder: Path) -> None:
    """Note that this is the newest proof of its version on this machine. If the home folder cannot be written, there is
    no note."""
    if proof.scope not in KEPT_SCOPES or not proof.complete:
        return
    note = LastProof(
        version=proof.version,
        scope=proof.scope,
        began=proof.began,
        right=sum(row.right for row in proof.rows),
        total=len(proof.rows),
        page=str((folder / PROOF_PAGE).resolve()),
    )
    try:
        path = _note_path(proof.version)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, msgspec.to_builtins(note))
    except OSError:
        return


def last_proof(version: str) -> LastProof | None:
    """The newest proof of this version on this machine; None if there is none any more."""
    try:
        note = msgspec.json.decode(_note_path(version).read_bytes(), type=LastProof)
    except (OSError, msgspec.MsgspecError):
        return None
    return note if Path(note.page).exists() else None


def _note_path(version: str) -> Path:
    """Raises OSError if this user's home is not known."""
    base = os.environ.get(STATE_VARIABLE)
    if not base:
        try:
            base = str(Path.home() / ".local" / "state")
        except RuntimeError as error:  # neither HOME nor an entry in the user database
            raise FileNotFoundError(str(error)) from error
    return Path(base) / NOTES / f"proof-{version}.json"
