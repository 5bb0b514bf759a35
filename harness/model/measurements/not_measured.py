"""What could not be measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasured:
    """A part of the measurements that the recording does not allow, and the reason: a file is missing, or its rows
    contradict the plan."""

    name: str
    reason: str
