"""A recording is read as it was written. Another version is refused with one clear message."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.model.clock import HostClock, clocks_of
from harness.model.errors import UsageError
from harness.recording import format as layout
from harness.recording.format import POST
from harness.recording.reader import Recording, read_clocks, read_events, read_verdict
from harness.recording.writer import create_folder, write_clocks, write_verdict
from tests.harness.plans import a_plan
from tests.harness.recordings import HandMade


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run that was judged."""
    made = create_folder(tmp_path, a_plan())
    run = HandMade()
    run.post(0)
    write_verdict(made, run.verdict(tmp_path))
    return made


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_verdict_is_read_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    """verdict.json and series.json hold the whole verdict, with its types."""
    run = HandMade()
    run.post(0)
    assert read_verdict(folder) == run.verdict(tmp_path)


@pytest.mark.parametrize(("version", "reader"), [(1, "0.1"), (2, "0.1"), (3, "0.2")])
def test_earlier_versions_are_refused_with_the_harness_that_reads_them(folder: Path, version: int, reader: str) -> None:
    """The message gives the expected and the found version, and the harness to use. This holds for recordings, and for
    verdicts alone."""
    change(folder / layout.VERDICT, version=version)
    with pytest.raises(UsageError) as refused:
        read_verdict(folder)
    assert f"expected version 4, found version {version}" in str(refused.value)
    assert f"use harness {reader}" in str(refused.value)
    change(folder / layout.PLAN, version=version)
    for read in (Recording.open, read_verdict):
        with pytest.raises(UsageError, match=f"use harness {reader}, which reads it") as refused:
            read(folder)
        assert layout.PLAN in str(refused.value)


@pytest.mark.parametrize("version", [None, "4", 99])
def test_an_unknown_version_is_refused(folder: Path, version: object) -> None:
    """The version is later or missing. Only the harness that wrote the recording can read it."""
    change(folder / layout.PLAN, version=version)
    with pytest.raises(UsageError, match="use the harness that made it"):
        Recording.open(folder)


def test_clocks_are_read_as_they_were_written(folder: Path) -> None:
    """Unknown offsets stay unknown. A recording without the file has no clocks."""
    assert Recording.open(folder).clocks is None
    there = HostClock(host="there", offset_ns=None, bound_ns=None, found="not known")
    here = HostClock(host="near", offset_ns=-5, bound_ns=3, found="asked")
    clocks = clocks_of(workers=2, servers={0: here, 1: there}, found="children")
    write_clocks(folder, clocks)
    assert Recording.open(folder).clocks == read_clocks(folder) == clocks


def test_a_damaged_clocks_file_is_an_error(folder: Path) -> None:
    """The message names the file."""
    (folder / layout.CLOCKS).write_text(json.dumps({"version": layout.VERSION, "hosts": 7}))
    with pytest.raises(UsageError, match=r"clocks\.json"):
        Recording.open(folder)


@pytest.mark.parametrize("name", ["events.jsonl", "telemetry.jsonl"])
@pytest.mark.parametrize(
    "line", [b"\xff", b"[1]", b"null", b"{}", b'{"at_ns": "1", "event": "x"}', b'{"event": 1}', b"[" * 100_000, b""]
)
def test_a_line_that_is_no_object_of_its_file_is_refused_with_its_number(folder: Path, name: str, line: bytes) -> None:
    """A recording of an interrupted run has no seal that would show the damage."""
    (folder / name).write_bytes(b'{"at_ns": 1, "event": "x"}\n' + line + b"\n")
    with pytest.raises(UsageError, match=rf"{name}, line 2: expected a JSON object"):
        Recording.open(folder)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "schedule"},
        {"event": "schedule", "start_ns": "1"},
        {"event": "probe", "expected": 1, "seen": None},
        {"event": "drained", "how": "quiet", "deliveries_hz": "1", "quiet_s": 1.0},
        {"event": "received", "servers": []},
    ],
)
def test_an_event_without_what_the_judge_reads_of_it_is_refused(folder: Path, event: dict[str, object]) -> None:
    (folder / "events.jsonl").write_text(json.dumps({"at_ns": 1, **event}) + "\n")
    with pytest.raises(UsageError, match=rf"events\.jsonl, line 1: expected '\w+', a \w+, in '{event['event']}'"):
        Recording.open(folder)


def test_half_a_line_at_the_end_is_ignored(folder: Path) -> None:
    """A killed process leaves half a line. The other Unicode line separators do not end a line here."""
    (folder / "events.jsonl").write_text('{"at_ns": 1, "event": "a\u2028\x85b"}\n{"at_ns": 2, "ev', "utf-8")
    assert [event["at_ns"] for event in read_events(folder)] == [1]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"{", b"[" * 100_000, b""])
def test_a_plan_that_is_no_object_is_refused(folder: Path, content: bytes) -> None:
    (folder / "plan.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"plan.json.*expected a JSON object"):
        Recording.open(folder)


@pytest.mark.parametrize("shape", [(), (1, 1), (1, 1, 1)])
def test_rows_have_one_dimension(folder: Path, shape: tuple[int, ...]) -> None:
    (folder / "arrays").mkdir(exist_ok=True)
    np.save(folder / "arrays" / "posts.npy", np.zeros(shape, POST))
    with pytest.raises(UsageError, match=r"posts.npy: expected rows in one dimension"):
        Recording.open(folder)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing"])
def test_rows_are_read_from_a_file_alone(folder: Path, kind: str) -> None:
    """The reader would wait for a pipe for ever."""
    path = folder / "arrays" / "posts.npy"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/nowhere/x")
    with pytest.raises(UsageError, match=r"posts.npy cannot be read: expected a NumPy file"):
        Recording.open(folder)
