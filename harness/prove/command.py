"""`harness prove` from its selection to its files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.interruption import interrupted_by
from harness.machine_lock import hold_machine
from harness.model.proof import Proof, ProofRow
from harness.prove.proving import Say, prove
from harness.prove.selection import Selection
from harness.recording.proof_folder import PROOF_PAGE, create_proof_folder, note_proof, write_proof
from harness.report.page.proof_page import write_proof_page


def make_proof(selection: Selection, *, out: Path, forced: bool, say: Callable[[ProofRow], None]) -> tuple[Proof, Path]:
    """Prove, write proof.json and the page after each row, and note their place. Returns the proof and its page.

    An interruption keeps the rows so far: the proof is then not complete. Raises EnvironmentFailure if another run
    holds the machine, unless ``forced``, and KeyboardInterrupt if no row was finished.
    """
    with hold_machine(forced=forced):
        folder = create_proof_folder(out)

        def keep(row: ProofRow, proof: Proof) -> None:
            say(row)
            write_proof(folder, proof)
            write_proof_page(folder, proof)

        proof = asyncio.run(_until_interrupted(selection, folder, keep))
    note_proof(proof, folder)
    return proof, folder / PROOF_PAGE


async def _until_interrupted(selection: Selection, folder: Path, keep: Say) -> Proof:
    """The proof, or the rows so far if the user interrupted it."""
    last: list[Proof] = []

    def remember(row: ProofRow, proof: Proof) -> None:
        last[:] = [proof]
        keep(row, proof)

    task = asyncio.current_task()
    assert task is not None
    try:
        with interrupted_by(task.cancel):
            return await prove(selection.bugs, scope=selection.scope, folder=folder, say=remember)
    except asyncio.CancelledError:
        if last:
            return last[0]
        raise KeyboardInterrupt from None
