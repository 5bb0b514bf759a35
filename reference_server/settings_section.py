"""A section of the settings: strict about its keys, and able to read its secrets from files."""

from pathlib import Path
from typing import TypeVar

import msgspec


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the settings. An unknown key is an error: a typing mistake must not silently mean the default."""


S = TypeVar("S", bound=Section)


class SecretError(Exception):
    """A secret cannot be used. The message names the field or the file, never the secret."""


def with_secrets(section: S) -> S:
    """The same section with its secrets: secrets in files are read, and white space around each is removed. A secret is
    a field ``x`` that has a second field ``x_file``. If ``x_file`` names a file, its content becomes ``x``. Raises
    SecretError if the file cannot be read or is empty, and for a secret with a line break or a control character in the
    middle.
    """
    secrets = {}
    for field in section.__struct_fields__:
        name = field.removesuffix("_file")
        if name != field and name in section.__struct_fields__:
            secrets[name] = _secret(name, getattr(section, name), getattr(section, field))
    return msgspec.structs.replace(section, **secrets)


def _secret(name: str, given: str | None, file: str | None) -> str | None:
    place = f"`{name}`" if file is None else f"the secret {file}"
    text = given if file is None else _content(file)
    if text is None:
        return None
    secret = text.strip()
    if not secret and (file is not None or text):
        raise SecretError(f"{place} is empty")
    if not all(character.isprintable() for character in secret):
        raise SecretError(f"{place} has a line break or a control character in the middle; expected one line of text")
    return secret


def _content(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise SecretError(f"the secret {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretError(f"the secret {file}: expected text in UTF-8, found other bytes") from error
