"""An engine that exists only in test code runs a whole load. No module of the harness changes for it."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.seams.smoke import Run

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("courier_run")]


def test_an_engine_of_an_extension_carries_a_run(courier_run: Run) -> None:
    """Commands pass through the engine. The recording has the rows that its processes wrote elsewhere."""
    run = courier_run
    notes = json.loads((run.folder / "courier.json").read_text())
    commands = notes["commands"]
    assert {"connect worker-00", "connect publisher"} <= set(commands[: commands.index("probe publisher")])
    assert commands[-1] == "finish publisher"
    assert {"posts.npy", "deliveries-00.npy", "heartbeat-publisher.npy", "worker-00.log"} <= set(notes["fetched"])
    arrays = run.folder / "arrays"
    deliveries = [np.load(path) for path in sorted(arrays.glob("deliveries-*.npy"))]
    assert sum(map(len, deliveries)) == 4 * len(np.load(arrays / "posts.npy"))
    assert not Path(notes["work"]).exists()
    assert run.verdict["plan"]["engine"] == "courier"
