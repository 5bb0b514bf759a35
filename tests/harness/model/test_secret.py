"""A token in the form in which users give it."""

import pytest

from harness.model.errors import UsageError
from harness.model.secret import read_token


@pytest.mark.parametrize("given", ["key", "key\n", " key\r\n", "\tkey "])
def test_white_space_around_a_token_is_no_part_of_it(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The white space comes from the file from which the token was read."""
    monkeypatch.setenv("HARNESS_TOKEN", given)
    assert read_token("--server") == "key"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", "found none"),
        ("\n", "found white space alone"),
        ("two words", "white space in the middle"),
        ("geheim\nHost: x", "white space in the middle"),
        ("schlüssel", "a character beyond ASCII"),
        ("geheim\x07x", "a control character"),
        ("k" * 5_000, "5,000 characters"),
    ],
)
def test_a_token_that_fits_no_header_is_refused(given: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is one sentence and does not show the token."""
    monkeypatch.setenv("HARNESS_TOKEN", given)
    with pytest.raises(UsageError, match=found) as refused:
        read_token("--server")
    assert len(refused.value.objections) == 1
    assert "geheim" not in str(refused.value)
