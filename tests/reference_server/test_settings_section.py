from pathlib import Path

import msgspec
import pytest

from reference_server.settings_section import SecretError, Section, with_secrets


class Door(Section, frozen=True, kw_only=True):
    key: str | None = None
    key_file: str | None = None
    log_file: str | None = None
    """not a secret: there is no field ``log``"""


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    """White space around the secret is removed. Other fields stay unchanged."""
    file = tmp_path / "key"
    file.write_text(" open sesame\n")
    assert with_secrets(Door(key_file=str(file), log_file="door.log")).key == "open sesame"
    assert with_secrets(Door(key="1234")) == Door(key="1234")


def test_a_missing_secret_is_an_error_that_names_the_file() -> None:
    with pytest.raises(SecretError, match="/nowhere/key: No such file"):
        with_secrets(Door(key_file="/nowhere/key"))


def test_an_unknown_key_is_an_error() -> None:
    """A typing mistake must not silently mean the default."""
    with pytest.raises(msgspec.ValidationError, match="unknown field `kye`"):
        msgspec.convert({"kye": "1234"}, Door)
