"""Access to a cluster that somebody else runs."""

import pytest

from harness.environments.external import parse_broker, parse_database
from harness.model.errors import UsageError


def test_access_to_the_database_is_read_from_its_address() -> None:
    """With it the audit asks PostgreSQL itself instead of the servers that are being judged."""
    found = parse_database("postgresql://ada:s%40crt@db.example:5433/chat")
    assert found is not None
    assert (found.host, found.port, found.user, found.password, found.database) == (
        *("db.example", 5433, "ada", "s@crt", "chat"),
    )


def test_access_to_redis_is_read_from_its_address() -> None:
    """The port may be left out."""
    found = parse_broker("redis://:geheim@broker.example")
    assert found is not None
    assert (found.host, found.port, found.password) == ("broker.example", 6379, "geheim")


def test_no_address_is_no_access() -> None:
    """Both are optional: without them figures are absent, and the audit asks the history route."""
    assert parse_database("") is None
    assert parse_broker("") is None


@pytest.mark.parametrize("url", ["http://db/chat", "postgresql://", "postgresql://h:99999999/x", "db:5432"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    """What was given may hold a password, so the message shows only what was expected."""
    with pytest.raises(UsageError) as refused:
        parse_database(url)
    assert "HARNESS_DATABASE: expected postgresql://" in str(refused.value)
    assert "found something else" in str(refused.value)
