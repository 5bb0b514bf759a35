"""Is a missing delivery lost, or did the harness stop listening too early? A delivery is lost when it can no longer
arrive: its client has received a later message of its channel, or its connection was open in the last seconds, nothing
new came to any client in them, and the load worker was reading. Every other missing delivery is undelivered: it may
have been on its way when the wait for it was cut off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.checks.evidence.evidence import Bools, Evidence
from harness.checks.evidence.loop_lag import loop_lag
from harness.model.drain import QUIET_S, DrainEnd
from harness.planning.placement import client_workers

READER_LAG_LIMIT_MS = 1_000.0
"""A load worker that was stalled for so long in the last seconds may have deliveries that it had not read."""
HEARTBEAT_SHARE_AT_LEAST = 0.9
_ROUNDING_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainEvidence:
    """How the wait for the last deliveries ended. ``quiet``: clients, shape (clients,), for whom no delivery was on its
    way any more. ``why``: the reasons for the other clients, in words."""

    how: str
    deliveries_hz: float
    quiet: Bools
    why: tuple[str, ...]

    @classmethod
    def unknown(cls, clients: int) -> "DrainEvidence":
        """Nothing is known to have been quiet."""
        return cls(how="", deliveries_hz=0.0, quiet=np.zeros(clients, np.bool_), why=("the drain has no end",))


def drain_evidence(evidence: Evidence) -> DrainEvidence:
    """The end of the drain, by the recording. Without such an event nothing is known to have been quiet."""
    event = evidence.recording.event("drained")
    if event is None:
        return DrainEvidence.unknown(evidence.plan.clients)
    how, rate_hz, quiet_s = str(event["how"]), float(event["deliveries_hz"]), float(event["quiet_s"])
    silent = quiet_s >= QUIET_S - _ROUNDING_S
    open_ = _open_until(evidence, int(event["at_ns"]))
    behind = tuple(_behind(evidence, int(event["at_ns"])))
    read = ~np.isin(client_workers(evidence.plan), behind)
    return DrainEvidence(
        how=how,
        deliveries_hz=rate_hz,
        quiet=open_ & read & silent,
        why=tuple(_reasons(how, rate_hz, silent=silent, closed=int((~open_).sum()), behind=behind)),
    )


def _reasons(how: str, rate_hz: float, *, silent: bool, closed: int, behind: tuple[int, ...]) -> Iterator[str]:
    if how == DrainEnd.CUT_OFF and not silent:
        yield f"the drain was cut off while {rate_hz:,.0f} deliveries/s still came"
    elif not silent:
        yield f"the drain ended less than {QUIET_S:g} s after the last delivery"
    if closed:
        yield f"{closed:,} clients had no connection in all of the last {QUIET_S:g} s"
    if behind:
        names = ", ".join(f"worker-{worker:02}" for worker in behind)
        yield f"the load generator had not read everything ({names})"


def _open_until(evidence: Evidence, drained_ns: int) -> Bools:
    """Clients that were connected and subscribed all through the last `QUIET_S` of the drain. What a client missed is
    on its way only after its subscription, so one that came back later was not waited for."""
    sessions = evidence.sessions
    settled = sessions.present_at(drained_ns) & (
        sessions.subscribed_ns <= drained_ns - int((QUIET_S - _ROUNDING_S) * 1e9)
    )
    found = np.zeros(evidence.plan.clients, np.bool_)
    found[sessions.client[settled]] = True
    return found


def _behind(evidence: Evidence, drained_ns: int) -> Iterator[int]:
    """Load workers that did not read, or are not known to have read, all the time in the last seconds of the drain."""
    begin_ns = drained_ns - int(QUIET_S * 1e9)
    for worker in range(evidence.plan.workers):
        lag = _lag(evidence, worker, begin_ns, drained_ns)
        if lag is None or lag >= READER_LAG_LIMIT_MS:
            yield worker


def _lag(evidence: Evidence, worker: int, begin_ns: int, end_ns: int) -> float | None:
    heartbeat = evidence.heartbeats.get(f"worker-{worker:02}")
    if heartbeat is None:
        return None
    found = loop_lag(heartbeat, begin_ns, end_ns)
    return found.max_ms if found.share >= HEARTBEAT_SHARE_AT_LEAST else None
