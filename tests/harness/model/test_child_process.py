import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from harness.model.child_process import can_import, child_environment, python_program

FOREIGN = "raise SystemExit('foreign code ran')"


def run(folder: Path, module: str, *arguments: str, own: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = python_program(module, *arguments, folder=own)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    "name", ["random.py", "json.py", "msgspec.py", "harness/__init__.py", "reference_server/__init__.py"]
)
def test_what_lies_in_the_current_folder_is_not_run(tmp_path: Path, name: str) -> None:
    """A file there replaces neither a module of Python, nor a package, nor the harness."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(FOREIGN)
    for own in (None, tmp_path):
        ended = run(tmp_path, "reference_server", "--help", own=own)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_a_module_of_the_users_own_is_found_in_its_folder(tmp_path: Path) -> None:
    """The module is found only if its folder is given, also within a package. It is the main program and gets its
    arguments."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "server.py").write_text("import sys; print(__name__, sys.argv[1:])")
    assert can_import("mine.server", tmp_path)
    assert not can_import("mine.other", tmp_path)
    assert not can_import("mine.server", tmp_path / "mine")
    assert run(tmp_path, "mine.server", "--settings", "f", own=tmp_path).stdout == "__main__ ['--settings', 'f']\n"
    assert run(tmp_path, "mine.server").returncode != 0


def test_what_is_installed_can_be_imported(tmp_path: Path) -> None:
    """The current folder does not matter."""
    assert can_import("reference_server", tmp_path)
    assert not can_import("no_such_module_at_all", tmp_path)
    assert not can_import("no_such_module_at_all.server", tmp_path)


def test_variables_that_configure_a_library_do_not_reach_a_child() -> None:
    """All other variables do."""
    spoiled = {
        "PGSSLMODE": "require",
        "PGHOST": "elsewhere",
        "REDIS_URL": "x",
        "VALKEY_PASSWORD": "x",
        "NATS_URL": "nats://elsewhere",
        "KAFKA_OPTS": "-Djava.security.auth.login.config=/a",
        "JAVA_TOOL_OPTIONS": "-agentlib:jdwp=transport=dt_socket",
        "PYTHONOPTIMIZE": "2",
        "PYTHONDEVMODE": "1",
        "HARNESS_TOKEN": "s3cret",
        "HARNESS_DATABASE": "postgresql://u:p@h/d",
        "HARNESS_REDIS": "redis://:p@h",
        "SSL_CERT_FILE": "/a",
        "SSLKEYLOGFILE": "/a",
        "https_proxy": "http://proxy:1",
        "ALL_PROXY": "http://proxy:1",
        "NO_PROXY": "*",
    }
    kept = {"PYTHONPATH": "/a", "MY_SERVER": "1", "HARNESS_EXTENSIONS": "", "PATH": os.environ["PATH"]}
    with mock.patch.dict(os.environ, {**spoiled, **kept}):
        found = child_environment()
    assert not spoiled.keys() & found.keys()
    assert kept.items() <= found.items()
    assert sys.executable
