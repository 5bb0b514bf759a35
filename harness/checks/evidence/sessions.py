"""The connections of all clients: where each client was, and which connections were lost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.host_clocks import HostClocks
from harness.recording.format import SESSION
from harness.recording.reader import Recording

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).max)
CLOSED_BY_WORKER = 1000
"""Close code of a session that the load worker closed at the end. A killed worker leaves 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """One entry for each connection, sorted by client, then by time. Times are in ns on the harness's clock, 0 for
    never.

    ``last``: the client has no later connection. ``lost``: the connection ended although the load worker did not close
    it.
    """

    client: Ints
    server: Ints
    close_code: Ints
    connected_ns: Ints
    subscribed_ns: Ints
    position: Ints
    ended_ns: Ints
    last: Bools
    lost: Bools

    @classmethod
    def none(cls) -> "Sessions":
        """No connection at all."""
        return _sorted(np.empty(0, SESSION), np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.client)

    def servers_at(self, at_ns: int, planned: Ints) -> Ints:
        """The server of each client at ``at_ns``, shape (clients,): that of the newest connection that was begun by
        then, else of the client's first. ``planned`` is kept for clients without a connection."""
        found = planned.copy()
        first = np.r_[True, self.last[:-1]] if len(self) else np.empty(0, np.bool_)
        found[self.client[first]] = self.server[first]
        begun = self.connected_ns <= at_ns
        found[self.client[begun]] = self.server[begun]  # of several the last one counts
        return found

    def present_at(self, at_ns: int) -> Bools:
        """Which connections stood and were subscribed at ``at_ns``."""
        found: Bools = (self.subscribed_ns > 0) & (self.subscribed_ns <= at_ns) & (self.ended_ns > at_ns)
        return found

    def again_ns(self) -> Ints:
        """When the client of each connection was subscribed again, on any of its later connections; `NEVER` if it was
        not."""
        rows = len(self)
        subscribed = np.r_[np.where(self.subscribed_ns > 0, np.arange(rows), rows), rows]
        following = np.minimum.accumulate(subscribed[::-1])[::-1][1:]  # the next row that was subscribed, of any client
        at_ns, client = np.r_[self.subscribed_ns, 0], np.r_[self.client, -1]
        found: Ints = np.where(client[following] == self.client, at_ns[following], NEVER)
        return found


def sessions_of(recording: Recording, clocks: HostClocks) -> Sessions:
    """All that the recording holds. Rows of clients that the plan does not have are left out."""
    rows = np.concatenate([np.empty(0, SESSION), *_on_one_clock(recording, clocks)])
    rows = rows[rows["client"] < recording.plan.clients]
    rows = rows[np.lexsort((rows["ended_ns"], rows["client"]))]
    return _sorted(rows, _cut_off(recording, rows))


def _sorted(rows: "NDArray[np.void]", cut_off: Bools) -> Sessions:
    """``rows`` are sorted by client and time; ``cut_off``: the connection ended without the closing handshake."""
    last = np.ones(len(rows), np.bool_)
    last[:-1] = rows["client"][1:] != rows["client"][:-1]
    columns = {name: rows[name].astype(np.int64) for name in SESSION.names or ()}
    return Sessions(**columns, last=last, lost=~last | cut_off)


def _on_one_clock(recording: Recording, clocks: HostClocks) -> Iterator["NDArray[np.void]"]:
    for worker, seen in sorted(recording.seen.items()):
        rows = np.array(seen.sessions)
        zero = np.zeros(1, np.int64)
        host = clocks.of_file(f"sessions-{worker:02}")
        shift_ns = int(clocks.elapsed_ns(zero, clocks.coordinator, zero, host).middle[0])
        if shift_ns:
            for name in ("connected_ns", "subscribed_ns", "ended_ns"):
                rows[name] += np.where(rows[name] > 0, shift_ns, 0)
        yield rows


def _cut_off(recording: Recording, rows: "NDArray[np.void]") -> Bools:
    """Connections that ended before the harness closed any: a server may close with the same code as the load
    worker."""
    found: Bools = ~np.isin(rows["close_code"], (0, CLOSED_BY_WORKER))
    drained = recording.event("drained")
    if drained is not None and "at_ns" in drained:
        found |= (rows["ended_ns"] > 0) & (rows["ended_ns"] < int(drained["at_ns"]))
    return found
