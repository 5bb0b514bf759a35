"""Baselines: named groups of runs."""

from pathlib import Path

import pytest

from harness.history.baselines import BASELINES, baseline, read_baselines, remove_baseline, set_baseline
from harness.model.errors import UsageError
from tests.harness.history.entries import an_entry


def test_a_baseline_is_set_read_and_removed(tmp_path: Path) -> None:
    """The lines of the runs are kept, so the recordings may be deleted."""
    set_baseline(tmp_path, "release-1", (an_entry(0), an_entry(1)))
    set_baseline(tmp_path, "other", (an_entry(2),))
    assert baseline(tmp_path, "release-1") == (an_entry(0), an_entry(1))
    remove_baseline(tmp_path, "release-1")
    assert list(read_baselines(tmp_path)) == ["other"]


def test_an_unknown_name_is_told_with_the_known_ones(tmp_path: Path) -> None:
    """The message lists the known names, or says how to make a baseline."""
    with pytest.raises(UsageError, match="baseline set"):
        baseline(tmp_path, "x")
    set_baseline(tmp_path, "known", (an_entry(0),))
    with pytest.raises(UsageError, match="known"):
        remove_baseline(tmp_path, "x")


@pytest.mark.parametrize("name", ["", "a b", "../x", "a:b"])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    """A name that looks like an option, a path or a prefix is refused."""
    with pytest.raises(UsageError, match="name"):
        set_baseline(tmp_path, name, (an_entry(0),))


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """A damaged file is never read as empty: the next `set` would delete the other baselines."""
    (tmp_path / BASELINES).write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        set_baseline(tmp_path, "x", (an_entry(0),))
