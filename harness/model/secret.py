"""Secrets as people give them: perhaps with the newline of a file, empty, or with characters beyond ASCII."""

import os

from harness.model.errors import UsageError

TOKEN_VARIABLE = "HARNESS_TOKEN"  # noqa: S105 - the name of a variable, not a token
LIMIT_CHARACTERS = 4_096


def read_token(asked_by: str) -> str:
    """The cluster's token from its variable, without white space around it.

    Raises UsageError, whose message does not show the token, if there is no token, or if an HTTP header cannot carry
    it. ``asked_by`` is the option that needs it.
    """
    given = os.environ.get(TOKEN_VARIABLE, "")
    token = given.strip()
    if not token:
        found = "white space alone" if given else "none"
        raise UsageError(f"{asked_by}: expected the cluster's token in the variable {TOKEN_VARIABLE}, found {found}")
    if problem := token_problem(token):
        raise UsageError(f"{TOKEN_VARIABLE}: expected a token of visible ASCII characters, found {problem}")
    return token


def token_problem(token: str) -> str:
    """The problem of ``token`` in an HTTP header; empty if there is none."""
    if len(token) > LIMIT_CHARACTERS:
        return f"{len(token):,} characters"
    if any(character.isspace() for character in token):
        return "white space in the middle of it"
    if not token.isascii():
        return "a character beyond ASCII"
    return "" if token.isprintable() else "a control character"
