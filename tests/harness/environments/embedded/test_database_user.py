"""Before the start the harness detects users that PostgreSQL cannot run as, and folders that PostgreSQL cannot
reach."""

import os
import pwd
import tempfile
from pathlib import Path
from unittest import mock

import pytest

from harness.environments.embedded import database_user as module


def no_entry(*_: object) -> None:
    raise KeyError


def test_a_user_without_a_name_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenShift and Jenkins start containers with such a user, and initdb would refuse it. The message says what to
    add."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    (problem,) = module.user_problems()
    assert "no entry for number 12345" in problem
    assert "harness:x:12345:" in problem
    assert module.described_user() == "number 12345, without a name"


def test_root_needs_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system without the user `nobody` root cannot run PostgreSQL."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert module.user_problems() == []
    monkeypatch.setattr(pwd, "getpwnam", no_entry)
    (problem,) = module.user_problems()
    assert "no user 'nobody'" in problem


def test_a_user_with_a_name_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    assert module.user_problems() == []
    assert module.unprivileged_user() is None


def test_a_private_folder_above_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If PostgreSQL runs as another user, that user cannot pass through a private folder."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(private))
    assert any(f"pass through {private}" in problem for problem in module.folder_problems())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
@pytest.mark.parametrize("call", ["os.chown", "subprocess.Popen", "subprocess.Popen.kill", "pathlib.Path.touch"])
@pytest.mark.parametrize("error", [PermissionError(1, "Operation not permitted"), OSError(22, "Invalid argument")])
def test_a_root_that_may_not_become_another_user(call: str, error: OSError) -> None:
    """This happens in a container without capabilities, or with one user only."""
    with mock.patch(call, side_effect=error):
        (problem,) = module.folder_problems()
    assert "capabilities CHOWN, DAC_OVERRIDE, KILL, SETGID and SETUID" in problem
    assert str(error.strerror) in problem


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_a_root_that_may_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert module.folder_problems() == []
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness cannot write to the temporary folder, or the system has no temporary folder."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/proc")
    (problem,) = module.folder_problems()
    assert "/proc cannot be written" in problem

    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", none)
    (problem,) = module.folder_problems()
    assert "set TMPDIR" in problem
