"""The folder of a capacity search."""

import json
from pathlib import Path

import pytest

from harness.model.capacity import Capacity
from harness.model.errors import UsageError
from harness.recording.capacity_folder import create_capacity_folder, is_capacity_folder, read_capacity, write_capacity
from harness.recording.format import CAPACITY
from tests.harness.searches import a_capacity, a_search


def test_a_search_is_read_as_it_was_written(tmp_path: Path) -> None:
    """From the start the folder holds a search without steps. Each later write replaces it."""
    folder = create_capacity_folder(tmp_path, a_search())
    assert is_capacity_folder(folder)
    assert read_capacity(folder) == Capacity(plan=a_search())
    write_capacity(folder, a_capacity())
    assert read_capacity(folder) == a_capacity()
    assert (folder.parent / "latest").resolve() == folder.resolve()
    assert folder.parent.parent.name == "scenario-a"


@pytest.mark.parametrize("document", ["{}", "[]", "nothing", '{"version": 3}'])
def test_another_file_is_refused(tmp_path: Path, document: str) -> None:
    """The message says what was expected."""
    (tmp_path / CAPACITY).write_text(document)
    with pytest.raises(UsageError, match="expected"):
        read_capacity(tmp_path)


def test_the_file_carries_the_version(tmp_path: Path) -> None:
    """Every file of a recording has the version."""
    folder = create_capacity_folder(tmp_path, a_search())
    assert json.loads((folder / CAPACITY).read_text())["version"] == 4
