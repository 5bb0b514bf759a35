"""What a person is told while a run works."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the load is. Percentiles are of the last second's deliveries, sampled: for the eye, not for the verdict.

    Latencies in milliseconds from the intended time; None before there is any.
    """

    clients: int = 0
    """how many are to connect"""
    connected: int = 0
    subscribed: int = 0
    probed: int = 0
    sent: int = 0
    acknowledged: int = 0
    rejected: int = 0
    indeterminate: int = 0
    delivered: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    late_ms: float | None = None
    """how far the sender is behind its schedule"""


class Watch(Protocol):
    """Shows the progress of a run."""

    def phase(self, name: str) -> None:
        """A phase begins: start, pilot, connect, probe, warm-up, measure, drain, collect, judge, report."""

    def progress(self, progress: Progress) -> None:
        """The load's state, a few times a second."""

    def note(self, text: str) -> None:
        """One sentence worth keeping on the screen."""
