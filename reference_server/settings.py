"""The settings of one server: one JSON file, checked completely before the server opens anything."""

import socket
from pathlib import Path
from typing import Any, Literal

import msgspec

from reference_server.backplane.base import BackplaneKind
from reference_server.backplane.registry import BACKPLANES
from reference_server.message_log.postgresql_address import Postgres
from reference_server.protocol.protocol_limits import Limits
from reference_server.registry import UnknownMember
from reference_server.settings_section import SecretError, Section, with_secrets
from reference_server.write_path import registry as write_paths

Recovery = Literal["automatic", "manual", "off"]


class SettingsError(Exception):
    """The settings cannot be used. The message names the file and the first problem."""


class ChosenBackplane:
    """The backplane that the settings name, and its own section (an empty one where the kind has no settings).

    In the file this is one object; all its keys but ``name`` belong to the section.
    """

    __slots__ = ("kind", "section")

    def __init__(self, kind: BackplaneKind, section: Section) -> None:
        self.kind = kind
        self.section = section


class Settings(Section, frozen=True, kw_only=True):
    """The settings of one server.

    ``postgres`` is an object or a ``postgresql://`` address. A secret is given itself, or as the file that holds it
    (``token_file``, ``password_file``). ``name`` is the host's name by default. ``write_path`` is a name in
    ``write_path.registry``, the name in ``backplane`` one in ``backplane.registry``.

    ``recovery`` says what happens to messages that the backplane lost. ``automatic``: the server reads them from the
    message log. ``manual``: the server waits for a request (POST /v1/rebroadcast) and holds back every later message of
    the channel. ``off``: the server never reads them and continues after the hole, so connected clients lose them. A
    test of the recovery itself needs that.

    ``trace_rows`` limits each part of the trace; 0 turns the trace off.
    """

    port: int
    postgres: Postgres | str
    backplane: ChosenBackplane
    token: str = ""
    token_file: str | None = None
    host: str = "127.0.0.1"
    name: str = ""
    write_path: str = write_paths.DEFAULT
    recovery: Recovery = "automatic"
    commit_pause_ms: float = 4.0
    statement_timeout_ms: int = 5_000
    synchronous_commit: bool = True
    trace_rows: int = 4_000_000
    limits: Limits = Limits()


def load(path: Path) -> Settings:
    """Read and check the settings. Raises SettingsError."""
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=Settings, dec_hook=_decode_backplane)
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    try:
        settings = _with_all_secrets(settings)
    except SecretError as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    if problem := _problem(settings):
        raise SettingsError(f"settings file {path}: {problem}")
    return settings


def _decode_backplane(wanted: type, value: Any) -> ChosenBackplane:
    """Decode the object ``backplane`` (msgspec calls this for the one type that it does not know)."""
    assert wanted is ChosenBackplane
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str):
        raise ValueError(f"expected an object with a `name`, one of: {', '.join(BACKPLANES.names)}")
    kind = BACKPLANES.find(name)
    own = {key: item for key, item in value.items() if key != "name"}
    try:
        return ChosenBackplane(kind, msgspec.convert(own, kind.section or Section))
    except msgspec.ValidationError as error:
        raise ValueError(f'backplane "{name}": {error}') from error


def _with_all_secrets(settings: Settings) -> Settings:
    """The same settings with every secret read from its file. Raises SecretError."""
    chosen = settings.backplane
    changes: dict[str, Any] = {
        "name": settings.name or socket.gethostname(),
        "backplane": ChosenBackplane(chosen.kind, with_secrets(chosen.section)),
    }
    if isinstance(settings.postgres, Postgres):
        changes["postgres"] = with_secrets(settings.postgres)
    return msgspec.structs.replace(with_secrets(settings), **changes)


def _problem(settings: Settings) -> str | None:
    try:
        write_paths.WRITE_PATHS.find(settings.write_path)
    except UnknownMember as error:
        return str(error)
    backplane = settings.backplane.kind
    if write_paths.WRITE_PATHS.find(settings.write_path).needs_sequencer and backplane.sequencer is None:
        able = ", ".join(name for name in BACKPLANES.names if BACKPLANES.find(name).sequencer is not None)
        return f'`write_path` is "{settings.write_path}": its numbers come from a broker; expected `backplane` {able}'
    if not settings.token:
        return "`token` is empty; every request carries it as the secret, so it must have at least one character"
    if not settings.token.isascii() or " " in settings.token:
        return "`token` has a space or a character beyond ASCII, which no client can send in the header Authorization"
    if isinstance(settings.postgres, str) and not settings.postgres.strip().isprintable():
        return "`postgres` has a line break or a control character in the middle; an address writes it as %XX"
    if not 1 <= settings.port <= 65_535:
        return f"`port` is {settings.port}; expected 1 to 65535"
    numbers = msgspec.structs.asdict(settings.limits) | {"statement_timeout_ms": settings.statement_timeout_ms}
    for name, value in numbers.items():
        if value < 1:
            return f"`{name}` is {value}; expected 1 or more"
    if settings.limits.send_buffer_bytes > 2**30:
        return f"`send_buffer_bytes` is {settings.limits.send_buffer_bytes}; expected at most 1 GiB"
    if settings.commit_pause_ms < 0 or settings.trace_rows < 0:
        return "`commit_pause_ms` and `trace_rows` must not be negative"
    return None
