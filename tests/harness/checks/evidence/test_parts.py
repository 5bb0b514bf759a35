"""The missing parts of a recording are reported one by one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence.evidence import gather
from harness.checks.evidence.parts import Need, generator_processes, lacking
from harness.checks.evidence.tally import tally
from harness.recording.reader import Recording
from tests.harness.recordings import HandMade


def lacking_in(recording: Recording) -> dict[Need, str]:
    evidence = gather(recording)
    return dict(lacking(evidence, tally(evidence)))


@pytest.mark.parametrize(
    ("part", "value", "need", "says"),
    [
        ("stored", None, Need.AUDIT, "the database was not read after the run"),
        ("telemetry", (), Need.TELEMETRY, "telemetry.jsonl is missing or empty"),
        ("heartbeats", {}, Need.HEARTBEATS, "publisher, worker-00 left no heartbeats"),
        ("events", (), Need.EVENTS, "events.jsonl has no event schedule and no event ended"),
        ("accepted", {0: np.empty(0)}, Need.TRACES, "accepted-01.npy: missing"),
        ("backplane", {}, Need.BACKPLANE, "backplane-00.npy, backplane-01.npy: missing"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, part: str, value: object, need: Need, says: str) -> None:
    """A missing part is named by its file, or by the process that left no data."""
    recording = HandMade(changes={"rate_hz": 1.0, "duration_s": 1.0}).recording(tmp_path)
    spoiled = dataclasses.replace(recording, **{part: value if part != "accepted" else {0: recording.accepted[0]}})
    assert lacking_in(spoiled)[need] == says


def test_without_the_rows_of_the_workers_deliveries_and_sessions_are_missing(tmp_path: Path) -> None:
    """The ledger is missing too, because it does not fit the plan."""
    recording = HandMade(changes={"rate_hz": 1.0, "duration_s": 1.0}).recording(tmp_path)
    found = lacking_in(dataclasses.replace(recording, seen={}))
    assert found[Need.DELIVERIES] == "rows of worker-00 are missing"
    assert found[Need.SESSIONS] == "4 of 4 clients have no session"
    assert found[Need.LEDGER] == "posts.npy is missing or does not fit the plan"


def test_the_load_generator_is_its_publisher_and_its_workers(tmp_path: Path) -> None:
    """The names are those of the row files."""
    evidence = gather(HandMade(changes={"workers": 2}).recording(tmp_path))
    assert list(generator_processes(evidence)) == ["publisher", "worker-00", "worker-01"]
