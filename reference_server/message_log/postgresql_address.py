"""The address of PostgreSQL, as a section of the settings."""

from typing import Literal

from reference_server.settings_section import Section


class Postgres(Section, frozen=True, kw_only=True):
    """``host`` may be the folder of a Unix socket."""

    host: str
    port: int = 5432
    user: str = "postgres"
    password: str | None = None
    password_file: str | None = None
    database: str = "postgres"
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    """as libpq's; every mode but the first looks for certificates in the home folder"""
