"""Folders on disk → lines of the history."""

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.history.folders import entries_of, found_again, place
from harness.history.history_file import read_history, rebuild
from harness.model.capacity import Found
from harness.model.errors import UsageError
from harness.recording.capacity_folder import create_capacity_folder, write_capacity
from tests.harness import searches
from tests.harness.results_on_disk import a_run


def test_a_run_is_named_by_its_place(tmp_path: Path) -> None:
    """The name is relative to the history, so both can be moved together. `latest` is resolved to its folder."""
    folder = a_run(tmp_path, "a")
    (folder.parent / "latest").symlink_to("a")
    assert place(folder, tmp_path) == "scenario-a/a"
    (entry,) = entries_of(folder.parent / "latest", tmp_path)
    assert entry.run == "scenario-a/a"


def test_a_search_is_one_line_with_its_load(tmp_path: Path) -> None:
    """The steps of a search have no lines of their own."""
    found = replace(searches.a_capacity(), found=Found.CAPACITY, value=500, broke_at=600)
    folder = create_capacity_folder(tmp_path, found.plan)
    write_capacity(folder, found)
    (entry,) = entries_of(folder, tmp_path)
    assert (entry.kind, entry.measures["capacity"].value) == ("capacity", 500.0)


def test_what_was_not_judged_has_no_line(tmp_path: Path) -> None:
    """The message says what to do."""
    folder = a_run(tmp_path, "a")
    (folder / "verdict.json").unlink()
    with pytest.raises(UsageError, match="judge"):
        entries_of(folder, tmp_path)


def test_a_rebuild_keeps_what_only_the_history_knows(tmp_path: Path) -> None:
    """The rebuild keeps labels and revision, and the line of a run whose recording is deleted. A damaged recording
    affects no other run."""
    kept, gone, bad = (a_run(tmp_path, name) for name in ("a", "b", "c"))
    before = {entry.run: entry for entry in read_history(tmp_path).entries}
    before["scenario-a/a"] = replace(before["scenario-a/a"], revision="abc", labels={"x": "y"})
    shutil.rmtree(gone)
    (bad / "verdict.json").write_text("{")
    history = rebuild(tmp_path, lambda _: found_again(tmp_path, before))
    assert kept.exists()
    found = {entry.run: (entry.revision, dict(entry.labels)) for entry in history.entries}
    assert found == {"scenario-a/a": ("abc", {"x": "y"}), "scenario-a/b": ("", {}), "scenario-a/c": ("", {})}
    assert msgspec.to_builtins(history.entries[0])["plan_key"]
