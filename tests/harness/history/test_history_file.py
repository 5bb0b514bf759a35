"""history.jsonl: no written line is lost, even with several writers."""

import multiprocessing
import os
from pathlib import Path

import pytest

from harness.history.history_file import (
    append_acceptance,
    append_entry,
    history_path,
    read_history,
    rebuild,
)
from harness.model.errors import EnvironmentFailure
from harness.model.history import Acceptance, Measured
from tests.harness.history.entries import an_entry, nights


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    """An entry is read as it was written. Entries come in the order of time, not of lines."""
    later, earlier = an_entry(5, {"delivery_p99_ms": Measured(value=3.0, low=2.0, high=4.0)}), an_entry(1)
    for entry in (later, earlier):
        append_entry(tmp_path, entry)
    assert read_history(tmp_path).entries == (earlier, later)


def test_no_file_is_an_empty_history(tmp_path: Path) -> None:
    """The first night has no history."""
    assert read_history(tmp_path).entries == ()


def write_many(results: str, writer: int) -> None:
    for night in range(50):
        append_entry(Path(results), an_entry(night, run=f"w{writer}/{night}", labels={"padding": "x" * 3000}))


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    """Two processes write lines that are longer than a page. Every line stays whole."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(str(tmp_path), writer)) for writer in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    history = read_history(tmp_path)
    assert (len(history.entries), history.damaged) == (100, 0)


def test_half_a_line_costs_only_itself(tmp_path: Path) -> None:
    """A writer that was killed within a line damages neither the line before nor the line after it."""
    append_entry(tmp_path, an_entry(0))
    with history_path(tmp_path).open("ab") as file:
        file.write(b'{"version": 4, "what": "run", "ru')
    append_entry(tmp_path, an_entry(1))
    history = read_history(tmp_path)
    assert [entry.run for entry in history.entries] == ["scenario-a/night-000", "scenario-a/night-001"]
    assert history.damaged == 1


def test_lines_of_another_version_are_counted(tmp_path: Path) -> None:
    """Lines of another version are not read as lines of this version."""
    history_path(tmp_path).write_text('{"version": 99, "what": "run"}\n[]\n7\n')
    assert read_history(tmp_path).damaged == 3


def test_a_rebuild_keeps_acceptances_and_heals_the_file(tmp_path: Path) -> None:
    """An acceptance is in no recording, so it stays. Damaged lines are removed."""
    append_entry(tmp_path, an_entry(0))
    append_acceptance(tmp_path, Acceptance(run="scenario-a/night-000", reason="new hardware", accepted="2026-01-01"))
    with history_path(tmp_path).open("ab") as file:
        file.write(b"half")
    history = rebuild(tmp_path, lambda before: nights([1.0, 2.0]))
    assert (len(history.entries), len(history.acceptances), history.damaged) == (2, 1, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    """The message names the file."""
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFailure, match="history"):
        append_entry(tmp_path, an_entry(0))


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "results").write_text("")
    with pytest.raises(EnvironmentFailure, match=r"history\.jsonl"):
        append_entry(tmp_path / "results", an_entry(0))
