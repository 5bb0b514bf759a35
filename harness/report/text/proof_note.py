"""What a run's report says about the newest proof of the harness on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.model.proof import LastProof


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofNote:
    """``link`` is empty where there is no proof."""

    sentence: str
    link: str = ""


NO_PROOF = ProofNote(
    sentence="On this machine nobody has proved this version of the harness: `harness prove` plants known bugs and shows "
    "whether the verdict finds them."
)


def proof_note(folder: Path, proof: LastProof | None) -> ProofNote:
    """``folder`` is the report's: the link is relative to it."""
    if proof is None:
        return NO_PROOF
    return ProofNote(
        sentence=f"harness prove ({proof.scope}) of version {proof.version} on this machine, {proof.began}: "
        f"{proof.right} of {proof.total} planted bugs and controls came out as they must.",
        link=quote(os.path.relpath(proof.page, folder.resolve())),
    )
