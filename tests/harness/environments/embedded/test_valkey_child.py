"""The settings of the embedded Valkey."""

import os
import re
import stat
from pathlib import Path

import pytest

from harness.environments.embedded.valkey_child import _settings


def test_the_settings_are_private_and_bind_loopback(tmp_path: Path) -> None:
    """The settings hold the password, so only their owner can read them."""
    path = _settings(tmp_path, 7001, "s3cret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"bind 127.0.0.1", "port 7001", 'requirepass "s3cret"'} < set(path.read_text().splitlines())


@pytest.mark.parametrize("name", ["a b", 'q"q', "a\nb", "a\\b", "größe", "\udcff"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """The folder is one line of the file, with every byte of the name as an escape."""
    folder = tmp_path / name
    folder.mkdir()
    (line,) = [each for each in _settings(folder, 7001, "s3cret").read_bytes().splitlines() if each.startswith(b"dir ")]
    found = re.fullmatch(rb'dir "((?:\\x[0-9a-f]{2})+)"', line)
    assert found is not None
    assert bytes.fromhex(found[1].replace(b"\\x", b"").decode()) == os.fsencode(folder)
