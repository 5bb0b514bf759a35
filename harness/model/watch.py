"""The progress that a person sees during a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class NextFault:
    """The next injection or healing of a fault. ``in_s`` is None if it comes when every message is posted."""

    what: str
    in_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of the load. Percentiles are of sampled deliveries: they are shown, but the verdict does not use
    them.

    ``p50_ms`` to ``p99_ms`` are of the last five seconds, ``whole_p50_ms`` and ``whole_p99_ms`` of all since the start.
    Latencies in milliseconds from the intended time; None before the first delivery.
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
    """deliveries, repetitions included"""
    expected: int = 0
    """deliveries that are due so far: of acknowledged messages"""
    missing: int = 0
    """of ``expected``, those that have not arrived yet"""
    broken: int = 0
    """deliveries that are always wrong"""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    whole_p50_ms: float | None = None
    whole_p99_ms: float | None = None
    late_ms: float | None = None
    """how far the publisher is behind its schedule"""
    lag_ms: float | None = None
    """the largest lag of an event loop of the load generator since its last report"""
    elapsed_s: float = 0.0
    """since the cluster was up"""
    remaining_s: float | None = None
    """until the last message is due; None before the schedule begins"""
    generator_cores: float | None = None
    """cores that the load generator kept busy in the last second"""
    machine_cores: float | None = None
    fault: NextFault | None = None


class Watch(Protocol):
    """Shows the progress of a run."""

    def phase(self, name: str) -> None:
        """A phase begins: start, pilot, connect, probe, warm-up, measure, drain, collect, judge, report."""

    def progress(self, progress: Progress) -> None:
        """The state of the load, a few times a second."""

    def recording(self, folder: Path) -> None:
        """The recording of the run grows in ``folder``."""

    def note(self, text: str) -> None:
        """One sentence worth keeping on the screen."""
