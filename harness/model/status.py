"""PASS, UNKNOWN and FAIL."""

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    UNKNOWN = "unknown"
    FAIL = "fail"


_SEVERITY = {Status.PASS: 0, Status.UNKNOWN: 1, Status.FAIL: 2}


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of ``statuses`` in the order PASS < UNKNOWN < FAIL; UNKNOWN if there is none, because a PASS needs
    evidence."""
    return max(statuses, key=_SEVERITY.__getitem__, default=Status.UNKNOWN)
