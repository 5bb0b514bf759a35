"""What one server is told at its start: one JSON file, checked completely before anything is opened."""

from pathlib import Path
from typing import Literal

import msgspec


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
    database: str = "postgres"


class Redis(Section, frozen=True, kw_only=True):
    host: str
    port: int = 6379
    username: str | None = None
    password: str | None = None


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
    resume_messages: int = 10_000
    queued_posts: int = 10_000


class Settings(Section, frozen=True, kw_only=True):
    """One server's settings.

    ``postgres`` is an object or a ``postgresql://`` address. ``recovery="off"`` stops the server from filling holes and
    from comparing its positions with the database: what the backplane loses is then lost for connected clients, which is
    what a test of the recovery itself needs. ``trace_rows`` is kept per part; 0 turns the trace off.
    """

    port: int
    token: str
    postgres: Postgres | str
    host: str = "127.0.0.1"
    name: str = "server-1"
    backplane: Literal["redis", "memory"] = "redis"
    redis: Redis | None = None
    write_path: Literal["db-first", "broker-first"] = "db-first"
    recovery: Literal["automatic", "off"] = "automatic"
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
    if problem := _problem(settings):
        raise SettingsError(f"settings file {path}: {problem}")
    return settings


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
    if settings.commit_pause_ms < 0 or settings.trace_rows < 0:
        return "`commit_pause_ms` and `trace_rows` must not be negative"
    return None
