"""A recording is read as it was written, and another version is refused with one clear message."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model.clock import HostClock, clocks_of
from harness.model.errors import UsageError
from harness.recording import format as layout
from harness.recording.reader import Recording, read_clocks, read_verdict
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
    """Recordings, and verdicts by themselves: expected, found, and what to do."""
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
    """A later version, or none: only the harness that wrote it knows."""
    change(folder / layout.PLAN, version=version)
    with pytest.raises(UsageError, match="use the harness that made it"):
        Recording.open(folder)


def test_clocks_are_read_as_they_were_written(folder: Path) -> None:
    """Offsets that are not known stay unknown; a recording without the file has no clocks."""
    assert Recording.open(folder).clocks is None
    there = HostClock(host="there", offset_ns=None, bound_ns=None, found="not known")
    here = HostClock(host="near", offset_ns=-5, bound_ns=3, found="asked")
    clocks = clocks_of(workers=2, servers={0: here, 1: there}, found="children")
    write_clocks(folder, clocks)
    assert Recording.open(folder).clocks == read_clocks(folder) == clocks


def test_a_damaged_clocks_file_is_an_error(folder: Path) -> None:
    """A file that does not hold what its version says is named."""
    (folder / layout.CLOCKS).write_text(json.dumps({"version": layout.VERSION, "hosts": 7}))
    with pytest.raises(UsageError, match=r"clocks\.json"):
        Recording.open(folder)
