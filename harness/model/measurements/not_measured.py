"""What could not be measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasured:
    """A part of the measurements that the recording does not give, and why: a file is missing, or its rows contradict the
    plan."""

    name: str
    reason: str
