"""When messages were received, by each pair's first delivery: repetitions do not complete a message and do not count in
a rate."""

import numpy as np

from harness.checks.evidence.evidence import Evidence, Ints


class Receipts:
    """Times are on the clock of the ledger.

    ``last_ns``: when the last client received each message, 0 for never, shape (messages,). ``backwards``: deliveries
    that were received before their message was sent. ``in_window``: deliveries received within the measured window,
    whenever they were due. ``due_in_window``: those of them that were also due in it.
    """

    def __init__(self, evidence: Evidence) -> None:
        posts = evidence.recording.posts
        known = len(posts) == len(evidence.schedule)
        self._sent_ns = posts["sent_ns"].astype(np.int64) if known else np.zeros(len(evidence.schedule), np.int64)
        self._measured = evidence.measured
        self._begin_ns, self._end_ns = evidence.window_ns
        self.last_ns = np.zeros(len(evidence.schedule), np.int64)
        self.backwards = 0
        self.in_window = 0
        self.due_in_window = 0

    def add(self, message: Ints, received_ns: Ints, bound_ns: int) -> None:
        """First deliveries of their pairs. ``bound_ns``: how wrong ``received_ns`` can be on the clock of the
        ledger."""
        if not len(message):
            return
        np.maximum.at(self.last_ns, message, received_ns)
        self.backwards += int(np.count_nonzero(received_ns < self._sent_ns[message] - bound_ns))
        inside = (received_ns >= self._begin_ns) & (received_ns < self._end_ns)
        self.in_window += int(np.count_nonzero(inside))
        self.due_in_window += int(np.count_nonzero(inside & self._measured[message]))
