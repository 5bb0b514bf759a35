"""The note in a run's report about the newest proof of the harness on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.model.proof import LastProof


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofNote:
    """``link`` is empty if there is no proof."""

    sentence: str
    link: str = ""


NO_PROOF = ProofNote(
    sentence="This version of the harness was not proved on this machine: `harness prove` plants known bugs and shows "
    "whether the verdict finds them."
)


def proof_note(folder: Path, proof: LastProof | None) -> ProofNote:
    """``folder`` is the report's: the link is relative to it."""
    if proof is None:
        return NO_PROOF
    return ProofNote(
        sentence=f"harness prove ({proof.scope}) of version {proof.version} on this machine, {proof.began}: "
        f"{proof.right} of {proof.total} planted bugs and controls had the expected verdict.",
        link=quote(os.path.relpath(proof.page, folder.resolve())),
    )
