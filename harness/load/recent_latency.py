"""Percentiles for the live view, from the samples that load workers report: of the last seconds, and since the
start."""

from collections import deque
from collections.abc import Sequence

import numpy as np

RECENT_S = 5.0
_STEP = 1.02
"""The bounds of two neighbouring bins: a percentile since the start is off by at most 2 %."""
_SMALLEST_MS = 0.01
_BINS = 1200
"""Up to 0.01 ms × 1.02^1200, more than 50 hours."""

Pair = tuple[float | None, float | None]


class RecentLatency:
    """Takes samples of latencies in ms. The memory is bounded: samples of five seconds, and one histogram."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, Sequence[float]]] = deque()
        self._counts = np.zeros(_BINS, np.int64)

    def add(self, now_s: float, latencies_ms: Sequence[float]) -> None:
        if not len(latencies_ms):
            return
        self._samples.append((now_s, latencies_ms))
        bins = np.log(np.maximum(latencies_ms, _SMALLEST_MS) / _SMALLEST_MS) / np.log(_STEP)
        np.add.at(self._counts, np.minimum(bins.astype(np.int64), _BINS - 1), 1)

    def recent(self, now_s: float) -> tuple[float, float, float] | None:
        """(P50, P95, P99) of the last five seconds; None without samples."""
        while self._samples and self._samples[0][0] < now_s - RECENT_S:
            self._samples.popleft()
        if not self._samples:
            return None
        p50, p95, p99 = np.percentile(np.concatenate([found for _, found in self._samples]), [50, 95, 99]).tolist()
        return p50, p95, p99

    def whole(self) -> Pair:
        """(P50, P99) since the start; the upper bounds of their bins."""
        return self._at(0.5), self._at(0.99)

    def _at(self, share: float) -> float | None:
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), share * total))
        return round(float(_SMALLEST_MS * _STEP ** (place + 1)), 2)
