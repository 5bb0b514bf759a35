import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.environments import playground_notes
from harness.model.errors import EnvironmentFailure

CLUSTER = SimpleNamespace(token="secret", servers=[SimpleNamespace(url="http://127.0.0.1:8001")])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(playground_notes, "machine_folder", lambda: tmp_path)
    return tmp_path


def test_a_playground_is_found_while_it_is_up(folder: Path) -> None:
    """It is found by its pid, with its addresses. Only this user can read the file of the token. Afterwards no file is
    left."""
    with playground_notes.published(CLUSTER) as token:  # type: ignore[arg-type]  # two fields are enough
        (state,) = playground_notes.read_all()
        assert (state.pid, state.urls) == (os.getpid(), ("http://127.0.0.1:8001",))
        assert playground_notes.find(os.getpid()) == state
        assert token.read_text() == "secret"
        assert token.stat().st_mode & 0o077 == 0
        assert token.parent.stat().st_mode & 0o077 == 0
    assert playground_notes.read_all() == []
    assert list(folder.iterdir()) == []


def note(folder: Path, **state: object) -> Path:
    path = folder / "harness-up-x" / "state.json"
    path.parent.mkdir()
    path.write_text(json.dumps(state))
    return path


def test_the_notes_of_a_dead_process_are_removed(folder: Path) -> None:
    """This also holds if another process has the same pid now."""
    path = note(folder, pid=os.getpid(), started="another start", urls=[])
    assert playground_notes.read_all() == []
    assert playground_notes.remove_leftovers() == [path.parent]
    assert not path.parent.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}'])
def test_notes_that_cannot_be_read_are_passed_over(folder: Path, text: str) -> None:
    """Another process may be writing or removing them at this moment."""
    note(folder).write_text(text)
    assert playground_notes.read_all() == []


def test_a_playground_that_does_not_stop_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the command that ends it."""
    asked: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: asked.append(pid))
    with playground_notes.published(CLUSTER):  # type: ignore[arg-type]  # two fields are enough
        (state,) = playground_notes.read_all()
        with pytest.raises(EnvironmentFailure, match=f"kill -9 {os.getpid()}"):
            playground_notes.stop(state, timeout_s=0.0)
    assert asked == [os.getpid()]
