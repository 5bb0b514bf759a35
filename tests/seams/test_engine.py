"""An engine is added in test code alone, and a whole run goes through it: no module of the harness is touched."""

from pathlib import Path

import numpy as np
import pytest

from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.engine import ENGINES
from tests.seams import courier, parrot
from tests.seams.smoke import assert_everything_was_delivered, prepare, smoke_run

pytestmark = pytest.mark.integration


def test_an_engine_of_an_extension_carries_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands pass through it, and the rows that its processes wrote elsewhere are in the recording afterwards."""
    prepare(monkeypatch)
    monkeypatch.setattr(courier.Courier, "opened", [])
    with CLIENT_PROTOCOLS.added(parrot.ENTRY), ENGINES.added(courier.ENTRY):
        outcome = smoke_run(tmp_path, engine="courier")
    assert_everything_was_delivered(outcome)
    (engine,) = courier.Courier.opened
    assert engine.commands[:3] == ["connect worker-00", "connect publisher", "probe publisher"]
    assert engine.commands[-2:] == ["finish worker-00", "finish publisher"]
    assert {"posts.npy", "deliveries-00.npy", "heartbeat-publisher.npy", "worker-00.log"} <= set(engine.fetched)
    assert len(np.load(outcome.folder / "arrays" / "deliveries-00.npy")) == 88
    assert not engine.work.exists()
