from pathlib import Path

import msgspec
import pytest

from harness.model.proof import Proof
from harness.recording.proof_folder import (
    PROOF,
    PROOF_PAGE,
    STATE_VARIABLE,
    create_proof_folder,
    last_proof,
    note_proof,
    write_proof,
)
from tests.harness.prove.proofs import RIGHT, WRONG, a_proof


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))


def test_a_proof_is_kept_whole(tmp_path: Path) -> None:
    """Every field of every row can be read again."""
    proof = a_proof(RIGHT, WRONG)
    write_proof(tmp_path, proof)
    assert msgspec.json.decode((tmp_path / PROOF).read_bytes(), type=Proof) == proof


def test_two_proofs_of_one_second_have_two_folders(tmp_path: Path) -> None:
    """The folders are below results/prove."""
    folders = [create_proof_folder(tmp_path) for _ in range(3)]
    assert len(set(folders)) == 3
    assert {folder.parent for folder in folders} == {tmp_path / "prove"}


def test_the_newest_proof_of_a_version_is_found(tmp_path: Path) -> None:
    """The note has the page, the number of right rows and the number of all rows. Another version has no proof."""
    (tmp_path / PROOF_PAGE).touch()
    note_proof(a_proof(RIGHT, WRONG), tmp_path)
    found = last_proof("9.9.9")
    assert found is not None
    assert (found.right, found.total, found.scope, found.page) == (1, 2, "quick", str(tmp_path / PROOF_PAGE))
    assert last_proof("9.9.8") is None


def test_a_proof_of_chosen_bugs_replaces_none(tmp_path: Path) -> None:
    """Such a proof says nothing about the other bugs."""
    (tmp_path / PROOF_PAGE).touch()
    note_proof(a_proof(RIGHT, scope="lose-one"), tmp_path)
    assert last_proof("9.9.9") is None


def test_a_proof_whose_page_is_gone_is_none(tmp_path: Path) -> None:
    """A link to the page would lead nowhere."""
    note_proof(a_proof(RIGHT), tmp_path)
    assert last_proof("9.9.9") is None
