"""Names that a user gives, resolved to lines of the history."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.history.baselines import set_baseline
from harness.history.history_file import read_history
from harness.history.lookup import look_up
from harness.model.errors import UsageError
from harness.model.history import History
from tests.harness.results_on_disk import a_run


def found(results: Path, *names: str | Path) -> list[str]:
    return [entry.run for entry in look_up(results, [str(name) for name in names], read_history(results))]


def test_nothing_named_is_nothing(tmp_path: Path) -> None:
    """Without a name there is no line."""
    assert look_up(tmp_path, [], History()) == ()


def test_runs_come_once_and_in_the_order_named(tmp_path: Path) -> None:
    """A pattern that also matches a run that was already named adds only the others, sorted by name."""
    a, b, _ = (a_run(tmp_path, name) for name in ("a", "b", "c"))
    assert found(tmp_path, b, a, b) == ["scenario-a/b", "scenario-a/a"]
    assert found(tmp_path, b, a.parent / "*") == ["scenario-a/b", "scenario-a/a", "scenario-a/c"]


def test_a_pattern_skips_links_and_folders_that_are_no_runs(tmp_path: Path) -> None:
    """A link such as `latest` would count a run twice. A pattern without any other match is refused."""
    a = a_run(tmp_path, "a")
    (a.parent / "a-link").symlink_to("a")
    (a.parent / "a-folder").mkdir()
    assert found(tmp_path, a.parent / "a*") == ["scenario-a/a"]
    with pytest.raises(UsageError, match="none that match"):
        found(tmp_path, a.parent / "a-*")


def test_a_run_whose_recording_is_gone_is_found_in_the_history(tmp_path: Path) -> None:
    """The run is found by its name in the history and by its former folder."""
    folder = a_run(tmp_path, "a")
    shutil.rmtree(folder)
    assert found(tmp_path, "scenario-a/a") == ["scenario-a/a"]
    assert found(tmp_path, folder) == ["scenario-a/a"]
    with pytest.raises(UsageError, match="found 'scenario-a/z'"):
        found(tmp_path, "scenario-a/z")


def test_a_baseline_is_the_lines_that_were_kept(tmp_path: Path) -> None:
    """A folder of that name does not count. An unknown baseline is refused."""
    a_run(tmp_path, "a")
    set_baseline(tmp_path, "release", look_up(tmp_path, ["scenario-a/a"], read_history(tmp_path)))
    assert found(tmp_path, "baseline:release") == ["scenario-a/a"]
    (tmp_path / "history.jsonl").unlink()
    assert found(tmp_path, "baseline:release") == ["scenario-a/a"], "its runs need not be in the history any more"
    with pytest.raises(UsageError, match="other"):
        found(tmp_path, "baseline:other")


def test_labels_and_revision_are_of_the_history_the_rest_of_the_folder(tmp_path: Path) -> None:
    """A run that was judged again has its new verdict. A run without a line has no labels."""
    a, b = a_run(tmp_path, "a"), a_run(tmp_path, "b")
    line = read_history(tmp_path).entries[0]
    old = replace(line, labels={"night": "1"}, revision="abc", plan_key="old")
    first, second = look_up(tmp_path, [str(a), str(b)], History(entries=(old,)))
    assert (first.labels, first.revision, first.plan_key) == ({"night": "1"}, "abc", line.plan_key)
    assert (second.labels, second.revision) == ({}, "")
