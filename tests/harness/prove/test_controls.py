import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from harness.prove.controls import own_stamps_ms
from harness.recording import format as layout
from tests.harness.plans import a_plan

START_NS = 1_000_000_000_000
MS = 1_000_000


def target_recording(folder: Path, messages: list[tuple[int, int, int, int]]) -> Path:
    """Of a target: (seq, accepted in ms after the warm-up, how long it took in ms, sockets)."""
    plan = a_plan()
    begin_ns = START_NS + int(plan.warm_up_s * 1e9)
    (folder / layout.ARRAYS).mkdir()
    (folder / layout.PLAN).write_text(json.dumps({"version": layout.VERSION, "plan": asdict(plan)}))
    (folder / layout.EVENTS).write_text(json.dumps({"event": "schedule", "start_ns": START_NS}) + "\n")
    accepted = [(0, seq, begin_ns + at * MS, 0, 0) for seq, at, _, _ in messages]
    delivered = [(0, seq, 0, begin_ns + (at + took) * MS, sockets, 0) for seq, at, took, sockets in messages]
    np.save(folder / layout.ARRAYS / "accepted-00.npy", np.array(accepted, layout.ACCEPTED))
    np.save(folder / layout.ARRAYS / "delivered-00.npy", np.array(delivered, layout.DELIVERED))
    return folder


def test_own_stamps_are_of_the_measured_window_and_weighted_by_sockets(tmp_path: Path) -> None:
    """98 deliveries took 20 ms, 2 took 30 ms; what was accepted before the window does not count."""
    recording = target_recording(tmp_path, [(1, -50, 900, 100), (2, 10, 20, 98), (3, 20, 30, 2)])
    assert own_stamps_ms(recording) == pytest.approx({"p50_ms": 20, "p99_ms": 30})


def test_a_target_without_stamps_has_no_figures(tmp_path: Path) -> None:
    """Nothing can be compared."""
    assert own_stamps_ms(target_recording(tmp_path, [])) == {}
