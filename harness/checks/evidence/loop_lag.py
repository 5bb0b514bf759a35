"""The lag of an event loop at every moment, and not only at the heartbeats.

A heartbeat is due every 20 ms. While the loop is stalled none comes, and the next one is late by L. It counts
for all that were due meanwhile: what became ready 20 ms later waited L - 20 ms, 40 ms later L - 40 ms, and so on. If
only the one late heartbeat were counted, a long stall would count less than several short ones (coordinated omission:
Gil Tene, "How NOT to Measure Latency", 2013). With one wait for every 20 ms a percentile is weighted by time: a stall
of 500 ms in every 6 s makes a hundredth of all moments wait 440 ms or longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.checks.evidence.evidence import Ints
from harness.checks.statistics.distribution import PIECE_ROWS, Distribution
from harness.recording.format import HEARTBEAT_INTERVAL_NS
from harness.recording.reader import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """The waits of one process in a span of time. ``count``: how many, one for every 20 ms that heartbeats cover.
    ``share``: the covered share of the span, 1 for all of it. ``p99_ms`` and ``max_ms`` are None if no heartbeat covers
    it."""

    count: int
    share: float
    p99_ms: float | None
    max_ms: float | None


def waits_ns(heartbeat: Rows, begin_ns: int, end_ns: int) -> Iterator[tuple[Ints, Ints]]:
    """Pieces of (when a heartbeat was due, how long the loop kept it waiting): one for every 20 ms from ``begin_ns`` up
    to ``end_ns``, on the clock of the process."""
    step = HEARTBEAT_INTERVAL_NS
    for start in range(0, len(heartbeat), PIECE_ROWS):
        rows = heartbeat[start : start + PIECE_ROWS]
        late = rows["late_ns"].astype(np.int64)
        due = rows["at_ns"].astype(np.int64) - late
        first = np.maximum(-((due - begin_ns) // step), 0)
        last = np.minimum(late // step, (end_ns - 1 - due) // step)
        copies = np.maximum(last - first + 1, 0)
        row = np.repeat(np.arange(len(rows)), copies)
        after = (np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies) + first[row]) * step
        yield due[row] + after, late[row] - after


def loop_lag(heartbeat: Rows, begin_ns: int, end_ns: int) -> LoopLag:
    """Of the waits from ``begin_ns`` up to ``end_ns``."""
    found = Distribution.count(
        lambda: ((wait, np.zeros(len(wait), np.int64)) for _, wait in waits_ns(heartbeat, begin_ns, end_ns)), 1
    )
    count = len(found)
    p99_ms, max_ms = found.quantiles_ms((0.99, 1.0)) if count else (None, None)
    due = (end_ns - begin_ns) / HEARTBEAT_INTERVAL_NS
    return LoopLag(
        count=count, share=min(1.0, count / due) if due >= 1 else float(count > 0), p99_ms=p99_ms, max_ms=max_ms
    )
