"""The embedded PostgreSQL as another user. test_embedded_cluster.py shows that PostgreSQL starts."""

from pathlib import Path

import pytest

from harness.environments.embedded import postgresql_child as module
from harness.environments.embedded.postgresql_child import _reachable_programs


def test_private_programs_are_copied_to_where_they_can_be_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every user can read and run the copy, also if only the owner can read the original."""
    programs = tmp_path / "installed" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("")
    (programs / "postgres").chmod(0o700)
    (programs / "data").write_text("")
    (programs / "data").chmod(0o600)
    programs.chmod(0o700)
    monkeypatch.setattr(module, "_programs", lambda: programs)
    copy = _reachable_programs(tmp_path)
    assert copy == tmp_path / "postgres-programs" / "bin"
    assert [(copy / name).stat().st_mode & 0o777 for name in ("postgres", "data")] == [0o755, 0o644]
