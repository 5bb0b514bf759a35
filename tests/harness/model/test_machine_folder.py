import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.model import machine_folder


def test_two_jobs_with_their_own_tmpdir_share_one_folder(tmp_path: Path) -> None:
    """Every job must find the machine lock and the notes of `harness up`."""
    code = "from harness.model.machine_folder import machine_folder; print(machine_folder())"
    found = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        environment = {"TMPDIR": str(tmp_path / name), "PATH": "/usr/bin"}
        shown = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        found.add(shown.stdout)
    assert len(found) == 1


def test_without_a_shared_folder_the_own_one_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_folder, "_SHARED", tmp_path / "missing")
    assert machine_folder.machine_folder() == Path(tempfile.gettempdir())
