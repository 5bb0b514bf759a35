"""The files of a finished run beside its folder."""

from pathlib import Path

import pytest

from harness.history.history_file import read_history
from harness.outputs.destinations import Destinations
from harness.publishing import note_in_history, publish_folder, summarize_folder, summarize_search
from tests.harness import searches
from tests.harness.report import verdicts
from tests.harness.results_on_disk import a_run


def test_a_run_without_a_verdict_leaves_no_old_file(tmp_path: Path) -> None:
    """A reader could take the file of last night for that of tonight."""
    target = tmp_path / "junit.xml"
    target.write_text("last night: all green")
    publish_folder(tmp_path, None, Destinations(files={"junit": target}))
    assert not target.exists()


def test_checks_that_do_not_apply_are_named(tmp_path: Path) -> None:
    """The registry of checks gives their names."""
    folder = a_run(tmp_path, "a")
    names = {case.name: str(case.result) for case in summarize_folder(folder, verdicts.passed()).cases}
    assert names["reconnected"] == "skipped"


def test_the_history_gets_labels_and_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options give them; otherwise the CI system does."""
    folder = a_run(tmp_path, "a")
    monkeypatch.setenv("GITHUB_SHA", "abc")
    note_in_history(folder, tmp_path, {"branch": "main"})
    (entry,) = read_history(tmp_path).entries
    assert (entry.revision, dict(entry.labels)) == ("abc", {"branch": "main"})


def test_a_history_that_cannot_be_written_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning is shown. The history can be rebuilt from the recording later."""
    folder = a_run(tmp_path, "a")
    (tmp_path / "history.jsonl").unlink()
    (tmp_path / "history.jsonl").mkdir()
    note_in_history(folder, tmp_path, {})
    assert "not in the history" in capsys.readouterr().err


def test_a_search_has_a_summary(tmp_path: Path) -> None:
    """The summary of a capacity search has a case and a sentence."""
    (tmp_path / "events.jsonl").write_text("")
    summary = summarize_search(tmp_path, searches.a_capacity())
    assert summary.cases[0].name == "capacity"
    assert summary.sentence
