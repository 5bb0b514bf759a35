"""A section of the settings: strict about its keys, and able to read its secrets from files."""

from pathlib import Path
from typing import TypeVar

import msgspec


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the settings. An unknown key is an error: a typing mistake must not silently mean the default."""


S = TypeVar("S", bound=Section)


def with_secrets(section: S) -> S:
    """The same section with its secrets read from files.

    A secret is a field ``x`` that has a second field ``x_file``. Where ``x_file`` names a file, its content becomes ``x``,
    without the white space around it. Raises OSError where the file cannot be read.
    """
    secrets = {}
    for field in section.__struct_fields__:
        secret = field.removesuffix("_file")
        if secret != field and secret in section.__struct_fields__ and (file := getattr(section, field)) is not None:
            secrets[secret] = Path(file).read_text().strip()
    return msgspec.structs.replace(section, **secrets)
