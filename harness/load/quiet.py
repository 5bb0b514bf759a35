"""For how long no new delivery has arrived, by the reports of the load workers."""

from collections import deque
from collections.abc import Sequence

from harness.model.drain import Drained, DrainEnd

STALLED_S = 1.0
"""A load worker reports five times a second. A worker that has not reported for this long may have deliveries that it
has not read."""


class Quiet:
    """Follows the number of (client, message) pairs reached. Times are seconds of one clock; ``look`` is called with
    rising ones. ``window_s``: over how long the rate of new deliveries is taken. ``lasts_s``: for how long no pair was
    new and no load worker was stalled. ``settled_s``: the same, and every client was subscribed all that time. A client
    that reconnects gets the missed messages only after its subscription, so the quiet time begins again then."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int]] = deque()
        self._reports: dict[int, tuple[int, float]] = {}
        self._since_s: float | None = None
        self._settled_since_s: float | None = None
        self.lasts_s = self.settled_s = 0.0

    def look(self, now_s: float, reached: int, reports: Sequence[int], unsubscribed: int) -> None:
        """``reached``: pairs so far. ``reports``: how many reports each load worker has sent. ``unsubscribed``: clients
        without a subscription."""
        for worker, number in enumerate(reports):
            if worker not in self._reports or self._reports[worker][0] != number:
                self._reports[worker] = number, now_s
        stalled = any(now_s - at_s > STALLED_S for _, at_s in self._reports.values())
        if self._since_s is None or stalled or reached != self._seen[-1][1]:
            self._since_s = now_s
        self._seen.append((now_s, reached))
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - self._window_s:
            self._seen.popleft()
        if self._settled_since_s is None or unsubscribed:
            self._settled_since_s = now_s
        self.lasts_s = now_s - self._since_s
        self.settled_s = min(self.lasts_s, now_s - self._settled_since_s)

    def drained(self, how: DrainEnd, unsubscribed: int) -> Drained:
        """The state at the last look, as the end of a drain."""
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        rate_hz = (last - first) / (last_s - first_s) if last_s > first_s else 0.0
        return Drained(
            how=how, quiet_s=round(self.lasts_s, 3), deliveries_hz=round(rate_hz, 1), unsubscribed=unsubscribed
        )
