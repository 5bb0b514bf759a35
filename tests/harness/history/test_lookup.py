"""A name on the command line leads to lines of the history: of a folder, a pattern, a run that is gone, a baseline."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.history.baselines import PREFIX, set_baseline
from harness.history.history_file import read_history
from harness.history.lookup import look_up
from harness.model.errors import UsageError
from harness.model.history import History
from tests.harness.history.entries import an_entry
from tests.harness.results_on_disk import a_run

GONE = an_entry(0)
HISTORY = History(entries=(GONE, an_entry(1)))


def runs(results: Path, *names: str, history: History = HISTORY) -> list[str]:
    return [entry.run for entry in look_up(results, names, history)]


def test_a_run_without_a_folder_is_found_in_the_history(tmp_path: Path) -> None:
    """By its name, and by the path where its folder was."""
    assert runs(tmp_path, GONE.run) == [GONE.run]
    assert runs(tmp_path, str(tmp_path / GONE.run)) == [GONE.run]


def test_every_run_comes_once_in_the_order_named(tmp_path: Path) -> None:
    names = ("scenario-a/night-001", "scenario-a/night-000", "scenario-a/night-001")
    assert runs(tmp_path, *names) == ["scenario-a/night-001", "scenario-a/night-000"]
    assert runs(tmp_path) == []


def test_a_baseline_is_asked_for_by_its_prefix(tmp_path: Path) -> None:
    """Its runs need not be in the history any more."""
    set_baseline(tmp_path, "release", (an_entry(7), an_entry(8)))
    found = runs(tmp_path, f"{PREFIX}release")
    assert found == ["scenario-a/night-007", "scenario-a/night-008"]


def test_a_folder_says_what_was_judged_and_the_history_its_labels(tmp_path: Path) -> None:
    """A run that was judged again has its new figures."""
    folder = a_run(tmp_path, "one")
    (known,) = read_history(tmp_path).entries
    old = replace(known, labels={"branch": "x"}, revision="abc", measures={})
    (found,) = look_up(tmp_path, [str(folder)], History(entries=(old,)))
    assert (found.labels, found.revision) == ({"branch": "x"}, "abc")
    assert found.measures == known.measures != {}
    (unknown,) = look_up(tmp_path, [str(folder)], History(entries=()))
    assert (unknown.labels, unknown.revision) == (known.labels, known.revision)


def test_a_pattern_is_every_run_that_matches_without_links(tmp_path: Path) -> None:
    """In order of their names; a folder that is no run, and `latest`, are passed over."""
    for name in ("n2", "n1", "m1"):
        a_run(tmp_path, name)
    (tmp_path / "scenario-a" / "n0-empty").mkdir()
    (tmp_path / "scenario-a" / "n0-latest").symlink_to("n2")
    assert runs(tmp_path, str(tmp_path / "scenario-a" / "n*")) == ["scenario-a/n1", "scenario-a/n2"]


@pytest.mark.parametrize(
    ("name", "words"), [("nowhere", "expected a run's folder"), ("no*where", "found none that match")]
)
def test_a_name_that_leads_nowhere_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        runs(tmp_path, str(tmp_path / name))
