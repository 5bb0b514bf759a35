import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from harness.planning.arrivals import MEASURED, WARM_UP
from harness.prove.controls import own_stamps_ms
from harness.recording import format as layout
from tests.harness.plans import a_plan

START_NS = 1_000_000_000_000
MS = 1_000_000


def target_recording(folder: Path, messages: list[tuple[int, int, int, int]]) -> Path:
    """A recording of a target with one message every 10 ms. Each message is (seq, phase, ms from the intended time to
    the write, sockets)."""
    plan = a_plan()
    due_ns = {seq: START_NS + number * 10 * MS for number, (seq, *_) in enumerate(messages)}
    (folder / layout.ARRAYS).mkdir()
    (folder / layout.PLAN).write_text(json.dumps({"version": layout.VERSION, "plan": asdict(plan)}))
    (folder / layout.EVENTS).touch()
    posts = [(phase, layout.ACKNOWLEDGED, 0, 0, 200, seq, due_ns[seq], 0, 0) for seq, phase, _, _ in messages]
    delivered = [(0, seq, 0, due_ns[seq] + took * MS, sockets, 0) for seq, _, took, sockets in messages]
    np.save(folder / layout.ARRAYS / "posts.npy", np.array(posts, layout.POST))
    np.save(folder / layout.ARRAYS / "delivered-00.npy", np.array(delivered, layout.DELIVERED))
    return folder


def test_own_stamps_are_of_the_measured_window_and_weighted_by_sockets(tmp_path: Path) -> None:
    """98 deliveries took 20 ms and 2 took 30 ms. The message of the warm-up does not count."""
    recording = target_recording(tmp_path, [(1, WARM_UP, 900, 100), (2, MEASURED, 20, 98), (3, MEASURED, 30, 2)])
    assert own_stamps_ms(recording) == pytest.approx({"p50_ms": 20, "p99_ms": 30})


def test_a_target_without_stamps_has_no_figures(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    assert own_stamps_ms(target_recording(tmp_path, [])) == {}
