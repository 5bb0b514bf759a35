"""A client protocol is added in test code alone, and a whole run goes through it: no module of the harness is touched."""

from pathlib import Path

import numpy as np
import pytest

from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.recording.format import ACKNOWLEDGED, SOUND
from tests.seams import parrot
from tests.seams.smoke import assert_everything_was_delivered, prepare, smoke_run

pytestmark = pytest.mark.integration


def test_a_protocol_of_an_extension_carries_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posts, deliveries, replies, history and health in the extension's own words; every delivery is found sound."""
    prepare(monkeypatch)
    with CLIENT_PROTOCOLS.added(parrot.ENTRY):
        outcome = smoke_run(tmp_path)
    assert_everything_was_delivered(outcome)
    arrays = outcome.folder / "arrays"
    posts = np.load(arrays / "posts.npy")
    assert (posts["outcome"] == ACKNOWLEDGED).all()
    assert len(np.load(arrays / "deliveries-00.npy")) == 4 * len(posts)
    assert (np.load(arrays / "frames-00.npy")["flaw"] == SOUND).all()
    assert len(np.load(arrays / "stored.npy")) == len(posts), "the audit read the protocol's history"
