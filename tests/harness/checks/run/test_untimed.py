"""Messages without an intended time: the ledger is missing, so no latency can be measured."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from harness.model.finding import Status
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, measured


def test_without_a_ledger_no_latency_is_measured(tmp_path: Path) -> None:
    """Without an intended time a latency would be hours long. Such a figure is absent, and its limit is not decided."""
    run = HandMade()
    for _ in range(400):
        run.post()
    spoiled = replace(run.recording(tmp_path), posts=np.zeros(0, layout.POST))
    with mock.patch.object(HandMade, "recording", return_value=spoiled):
        verdict = run.verdict(tmp_path)
    latency = finding(verdict, "latency_ms.p99")
    assert latency.status is Status.UNKNOWN
    assert measured(verdict).latency.count == 0
    assert measured(verdict).latency.max_ms is None
    assert "no message was timed" in latency.summary
