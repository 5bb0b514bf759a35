"""Connections and backplanes that were lost outside of the planned faults."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.disturbance import LATE_NS, LEAD_NS, Outage
from harness.checks.evidence.host_clocks import HostClocks
from harness.checks.evidence.sessions import NEVER, Bools, Ints, Sessions
from harness.recording.format import DOWN, SUBSCRIBED
from harness.recording.reader import Recording

SETTLED_NS = 5_000_000_000
"""How long after an outage a lost connection is still its consequence: a client that did not read sees the close
late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackplaneGap:
    """``server`` had no backplane from ``begin_ns`` until it was subscribed again; times are on the clock of its host.
    ``end_ns`` is `NEVER` if it never was."""

    server: int
    begin_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruptions:
    """``lost``: indices of the connections in `Sessions`, ``begin_ns`` and ``end_ns``: how long each client was
    away."""

    lost: Ints
    begin_ns: Ints
    end_ns: Ints
    backplane: tuple[BackplaneGap, ...]
    """on the harness's clock"""
    undated: tuple[BackplaneGap, ...] = ()
    """of servers whose clock cannot be compared: their length is known, but not their time"""

    def __bool__(self) -> bool:
        return bool(len(self.lost) or self.backplane or self.undated)

    def window(self, at_ns: Ints) -> Bools:
        """Which times lie in an interruption, or so near that it may have disturbed a message that was due then."""
        gaps = np.array([(gap.begin_ns, gap.end_ns) for gap in self.backplane], np.int64).reshape(-1, 2)
        begin = np.sort(np.concatenate([self.begin_ns, gaps[:, 0]])) - LEAD_NS
        end = np.sort(np.concatenate([self.end_ns, gaps[:, 1]]))
        end = np.where(end == NEVER, NEVER, end + LATE_NS)
        found: Bools = np.searchsorted(begin, at_ns, side="right") > np.searchsorted(end, at_ns, side="left")
        return found


def interruptions(
    recording: Recording,
    sessions: Sessions,
    clocks: HostClocks,
    server_host: Ints,
    begun: Sequence[Outage],
    start_ns: int,
) -> Interruptions:
    """Those from the first scheduled post (``start_ns``, 0 if the schedule never began) on, outside of outages."""

    def unexplained(at_ns: Ints) -> Bools:
        found = at_ns >= start_ns if start_ns else np.zeros(len(at_ns), np.bool_)
        for outage in begun:
            end_ns = outage.over_ns if outage.over_ns == NEVER else outage.over_ns + SETTLED_NS
            found &= (at_ns < outage.begun_ns) | (at_ns > end_ns)
        return found

    lost = np.flatnonzero(sessions.lost & unexplained(sessions.ended_ns))
    dated, undated = [], []
    for server, rows in sorted(recording.backplane.items()):
        if server >= len(server_host):
            continue
        host, at_ns = int(server_host[server]), rows["at_ns"].astype(np.int64)
        if clocks.comparable(clocks.coordinator, host):
            at_ns = clocks.elapsed_ns(np.zeros(1, np.int64), clocks.coordinator, at_ns, host).middle
            gaps = _gaps(server, rows["state"], at_ns)
            dated += [gap for gap in gaps if unexplained(np.array([gap.begin_ns]))[0]]
        else:
            undated += _gaps(server, rows["state"], at_ns)
    return Interruptions(
        lost=lost,
        begin_ns=sessions.ended_ns[lost],
        end_ns=sessions.again_ns()[lost],
        backplane=tuple(dated),
        undated=tuple(undated),
    )


def _gaps(server: int, states: NDArray[np.uint8], at_ns: Ints) -> list[BackplaneGap]:
    """From each loss of the connection to the next complete subscription. How long one lasted needs one clock only."""
    found: list[BackplaneGap] = []
    begin_ns: int | None = None
    for state, at in zip(states.tolist(), at_ns.tolist(), strict=True):
        if state == DOWN and begin_ns is None:
            begin_ns = at
        elif state == SUBSCRIBED and begin_ns is not None:
            found.append(BackplaneGap(server=server, begin_ns=begin_ns, end_ns=at))
            begin_ns = None
    if begin_ns is not None:
        found.append(BackplaneGap(server=server, begin_ns=begin_ns, end_ns=NEVER))
    return found
