"""What one server is told at its start: one JSON file, checked completely before anything is opened."""

import socket
from pathlib import Path
from typing import Any, Literal

import msgspec

Recovery = Literal["automatic", "manual", "off"]


class SettingsError(Exception):
    """The settings cannot be used; the message names the file and the one problem found first."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the settings. A key that is not known is an error: a typo must not silently mean the default."""


class Postgres(Section, frozen=True, kw_only=True):
    """Where PostgreSQL is. ``host`` may be the folder of a Unix socket."""

    host: str
    port: int = 5432
    user: str = "postgres"
    password: str | None = None
    password_file: str | None = None
    database: str = "postgres"


class Redis(Section, frozen=True, kw_only=True):
    host: str
    port: int = 6379
    username: str | None = None
    password: str | None = None
    password_file: str | None = None


class Limits(Section, frozen=True, kw_only=True):
    """The limits of docs/protocol.md, with its defaults."""

    body_bytes: int = 65_536
    text_bytes: int = 16_384
    channel_chars: int = 128
    client_msg_id_chars: int = 64
    frame_bytes: int = 4_096
    channels_per_connection: int = 64
    connections: int = 12_000
    waiting_bytes: int = 1_048_576
    send_buffer_bytes: int = 131_072
    """of the kernel, for one connection (SO_SNDBUF); without it the kernel takes megabytes for one that does not read"""
    resume_messages: int = 10_000
    queued_posts: int = 10_000


class Settings(Section, frozen=True, kw_only=True):
    """One server's settings.

    ``postgres`` is an object or a ``postgresql://`` address. A secret is given itself or as the file that holds it
    (``token_file``, ``password_file``; white space around it does not count). ``name`` is the host's by default.

    ``recovery``: ``automatic`` fills what the backplane lost from the database; ``manual`` waits until it is asked to
    (POST /v1/rebroadcast) and holds back what comes after a hole; ``off`` never fills a hole and goes on behind it: what
    the backplane loses is then lost for connected clients, which is what a test of the recovery itself needs.
    ``trace_rows`` is kept per part; 0 turns the trace off.
    """

    port: int
    postgres: Postgres | str
    token: str = ""
    token_file: str | None = None
    host: str = "127.0.0.1"
    name: str = ""
    backplane: Literal["redis", "memory"] = "redis"
    redis: Redis | None = None
    write_path: Literal["db-first", "broker-first"] = "db-first"
    recovery: Recovery = "automatic"
    commit_pause_ms: float = 4.0
    statement_timeout_ms: int = 5_000
    trace_rows: int = 4_000_000
    limits: Limits = Limits()


def load(path: Path) -> Settings:
    """Read and check the settings. Raises SettingsError."""
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    try:
        settings = _with_secrets(settings)
    except OSError as error:
        raise SettingsError(f"settings file {path}: the secret {error.filename}: {error.strerror}") from error
    if problem := _problem(settings):
        raise SettingsError(f"settings file {path}: {problem}")
    return settings


def _with_secrets(settings: Settings) -> Settings:
    """The same with every secret that is in a file read from it. Raises OSError."""
    changes: dict[str, Any] = {"name": settings.name or socket.gethostname()}
    if settings.token_file is not None:
        changes["token"] = Path(settings.token_file).read_text().strip()
    for part in ("postgres", "redis"):
        section = getattr(settings, part)
        if isinstance(section, Section) and (file := getattr(section, "password_file", None)) is not None:
            changes[part] = msgspec.structs.replace(section, password=Path(file).read_text().strip())
    return msgspec.structs.replace(settings, **changes)


def _problem(settings: Settings) -> str | None:
    if settings.write_path == "broker-first":
        return 'write_path "broker-first" is not implemented yet; expected "db-first"'
    if settings.backplane == "redis" and settings.redis is None:
        return 'backplane "redis" needs `redis` with at least {"host": …}'
    if not settings.token:
        return "`token` is empty; every request must carry it, so it has to be a secret"
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
