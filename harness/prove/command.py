"""`harness prove` from its selection to its files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.interruption import interrupting_signals
from harness.machine_lock import hold_machine
from harness.model.proof import Proof, ProofRow
from harness.prove.proving import prove
from harness.prove.selection import Selection
from harness.recording.proof_folder import create_proof_folder, note_proof, write_proof
from harness.report.page.proof_page import write_proof_page


def make_proof(selection: Selection, *, out: Path, forced: bool, say: Callable[[ProofRow], None]) -> tuple[Proof, Path]:
    """Prove, write proof.json and the page, note where they are. Returns the proof and its page.

    Raises EnvironmentFailure where another run holds the machine, unless ``forced``, and KeyboardInterrupt.
    """
    with hold_machine(forced=forced):
        folder = create_proof_folder(out)
        proof = asyncio.run(_until_interrupted(selection, folder, say))
    write_proof(folder, proof)
    page = write_proof_page(folder, proof)
    note_proof(proof, folder)
    return proof, page


async def _until_interrupted(selection: Selection, folder: Path, say: Callable[[ProofRow], None]) -> Proof:
    task = asyncio.current_task()
    assert task is not None
    for number in interrupting_signals():
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await prove(selection.bugs, scope=selection.scope, folder=folder, say=say)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
