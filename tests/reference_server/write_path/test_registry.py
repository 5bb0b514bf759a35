import pytest

from reference_server.registry import UnknownMember
from reference_server.write_path.registry import WRITE_PATHS


def test_each_write_path_says_what_an_acknowledgement_promises() -> None:
    """Documentation and reports read the promise from this registry."""
    assert WRITE_PATHS.names == ("broker-first", "db-first")
    assert "committed" in WRITE_PATHS.find("db-first").promise
    assert "if this server does not die" in WRITE_PATHS.find("broker-first").promise


def test_a_write_path_that_does_not_exist_is_refused() -> None:
    """The message lists the write paths that exist."""
    with pytest.raises(UnknownMember, match='"log-first" is not implemented; expected one of: broker-first, db-first'):
        WRITE_PATHS.find("log-first")
