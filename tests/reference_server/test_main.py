"""The exit codes and messages of ``python -m reference_server``."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reference_server.stack import TOKEN, free_port

pytestmark = pytest.mark.integration


def run(file: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "reference_server", "--settings", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def written(folder: Path, **settings: Any) -> Path:
    file = folder / "settings.json"
    defaults = {"name": "server-1", "port": free_port(), "token": TOKEN, "backplane": {"name": "memory"}}
    file.write_text(json.dumps(defaults | settings))
    return file


def test_settings_that_cannot_be_used_are_exit_code_2(tmp_path: Path) -> None:
    """One line names the file and the problem. Nothing is started."""
    file = written(tmp_path, postgres={"host": "/nowhere"}, colour="green")
    code, message = run(file)
    assert code == 2
    assert str(file) in message
    assert "colour" in message
    assert message.count("\n") == 1
    code, message = run(written(tmp_path, postgres={"host": "/nowhere"}, write_path="broker-later"))
    assert (code, "not implemented; expected one of: broker-first, db-first" in message) == (2, True)


def test_a_port_that_is_taken_is_exit_code_4(tmp_path: Path) -> None:
    """One line names the address, before the server tries anything else."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, message = run(written(tmp_path, port=port, postgres={"host": "/nowhere"}))
    assert code == 4
    assert message == f"server-1: cannot listen on 127.0.0.1:{port}: Address already in use\n"
