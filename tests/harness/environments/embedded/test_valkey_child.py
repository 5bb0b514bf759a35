"""The settings of the embedded Valkey."""

import stat
from pathlib import Path

from harness.environments.embedded.valkey_child import _settings


def test_the_settings_are_private_and_bind_loopback(tmp_path: Path) -> None:
    """They hold the password, so only their owner reads them."""
    path = _settings(tmp_path, 7001, "s3cret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {"bind 127.0.0.1", "port 7001", 'requirepass "s3cret"'} < set(path.read_text().splitlines())
