"""The effects of a fault and the recovery: the figures of the narrative."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from harness.checks.evidence.evidence import Bools, Evidence, Ints
from harness.checks.evidence.sessions import NEVER
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import quantiles_ms, to_ms
from harness.model.measurements.recovery import (
    AnswerCount,
    PostCounts,
    PostsAround,
    Rebroadcast,
    Reconnections,
    Recovery,
    ServerRecovery,
)
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED, UNSENT

RESOLUTION_NS = 1_000_000
"""Server times are shown in milliseconds, so the offset of the clock must be known to the millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the beginning of the first fault until the last component was back, in ns; ``end_ns`` is `NEVER` if one
    never was."""

    begin_ns: int
    end_ns: int

    @property
    def ended(self) -> bool:
        return self.end_ns != NEVER

    def holds(self, at_ns: Ints) -> Bools:
        found: Bools = (at_ns >= self.begin_ns) & (at_ns < self.end_ns)
        return found


def span(evidence: Evidence) -> Span | None:
    """None if no fault was begun."""
    begun = evidence.outages
    if not begun:
        return None
    return Span(begin_ns=min(outage.begun_ns for outage in begun), end_ns=max(outage.back_ns for outage in begun))


def measure(evidence: Evidence, tally: Tally) -> Recovery | None:
    """None if no fault was begun."""
    outage = span(evidence)
    if outage is None:
        return None
    first_s, last_s, errors = _errors(evidence)
    return Recovery(
        origin_ns=evidence.begin_ns,
        faults=evidence.faults,
        posts=_posts(evidence, outage),
        servers=tuple(_server(evidence, outage, index) for index in range(evidence.plan.servers)),
        reconnected=reconnections(evidence) if len(evidence.sessions) else None,
        rebroadcast=_rebroadcast(evidence),
        backfilled_s=_s(tally.disturbed_last_ns - outage.end_ns) if outage.ended and tally.disturbed_last_ns else None,
        first_error_s=first_s,
        last_error_s=last_s,
        errors=errors,
    )


def _s(ns: float) -> float:
    return round(float(ns) / 1e9, 3)


def _posts(evidence: Evidence, outage: Span) -> PostsAround:
    """The ledger of measured posts before, during and after the outage, by intended time."""
    during = outage.holds(evidence.intended_ns)
    before = evidence.intended_ns < outage.begin_ns
    return PostsAround(
        before=_post_counts(evidence, evidence.measured & before),
        during=_post_counts(evidence, evidence.measured & during),
        after=_post_counts(evidence, evidence.measured & ~before & ~during),
    )


def _post_counts(evidence: Evidence, which: Bools) -> PostCounts:
    outcome = evidence.outcome[which]
    latencies = acknowledgement_ns(evidence, which)
    p50, p99 = quantiles_ms(latencies, (0.5, 0.99)) if len(latencies) else (None, None)
    return PostCounts(
        posted=int((outcome != UNSENT).sum()),
        acknowledged=int((outcome == ACKNOWLEDGED).sum()),
        rejected=int((outcome == REJECTED).sum()),
        indeterminate=int((outcome == INDETERMINATE).sum()),
        ack_p50_ms=p50,
        ack_p99_ms=p99,
    )


def acknowledgement_ns(evidence: Evidence, which: Bools) -> Ints:
    """Intended time → answer, of those of ``which`` that were acknowledged."""
    posts = evidence.recording.posts
    if not evidence.has_ledger:
        return np.empty(0, np.int64)
    found: Ints = (posts["answered_ns"] - posts["intended_ns"])[which & (evidence.outcome == ACKNOWLEDGED)]
    return found


def _server(evidence: Evidence, outage: Span, index: int) -> ServerRecovery:
    """One server's recovery, by its trace. Times are None if its clock cannot be compared closely enough."""
    clocks, host = evidence.clocks, int(evidence.server_host[index])
    timed = bool(clocks.bound_ns(clocks.coordinator, host) <= RESOLUTION_NS)

    def since_s(since_ns: int, at_ns: int) -> float:
        since, until = np.array([since_ns]), np.array([at_ns])
        return _s(clocks.elapsed_ns(since, clocks.coordinator, until, host).middle[0])

    detected = resubscribed = backfilled = recovered_count = None
    states = evidence.recording.backplane.get(index)
    if states is not None and timed:
        begin = np.array([outage.begin_ns])
        after = states[clocks.elapsed_ns(begin, clocks.coordinator, states["at_ns"], host).middle >= 0]
        lost, again = (after["at_ns"][after["state"] == state] for state in (DOWN, SUBSCRIBED))
        detected = since_s(outage.begin_ns, lost[0]) if len(lost) else None
        resubscribed = since_s(outage.end_ns, again[-1]) if len(again) and outage.ended else None
    if evidence.trace is not None and evidence.disturbance is not None:
        recovered = (evidence.trace.received[index] > 0) & ~evidence.trace.live[index] & evidence.disturbance.window
        recovered_count = int(recovered.sum())
        if recovered_count and outage.ended and timed:
            backfilled = since_s(outage.end_ns, evidence.trace.written[index][recovered].max())
    return ServerRecovery(
        name=f"server-{index + 1}",
        detected_s=detected,
        resubscribed_s=resubscribed,
        backfilled_s=backfilled,
        recovered=recovered_count,
    )


def reconnections(evidence: Evidence) -> Reconnections:
    """How many clients lost their connection, and how long each was without a subscription."""
    sessions = evidence.sessions
    earlier = ~sessions.last
    again_ns = sessions.again_ns()
    # A connection that was never subscribed begins no gap: it lies within one.
    back = earlier & (sessions.subscribed_ns > 0) & (again_ns != NEVER)
    gaps = (again_ns - sessions.ended_ns)[back]
    clients = len(np.unique(sessions.client[earlier]))
    if not len(gaps):
        return Reconnections(clients=clients)
    p50, p99 = quantiles_ms(gaps, (0.5, 0.99))
    return Reconnections(
        clients=clients,
        p50_s=round(p50 / 1e3, 3),
        p99_s=round(p99 / 1e3, 3),
        last_s=round(to_ms(gaps.max()) / 1e3, 3),
    )


def _rebroadcast(evidence: Evidence) -> Rebroadcast | None:
    asked, answered = evidence.recording.event("rebroadcast"), evidence.recording.event("rebroadcast-done")
    if asked is None:
        return None
    origin = evidence.begin_ns
    return Rebroadcast(
        asked_s=_s(int(asked["at_ns"]) - origin),
        answered_s=None if answered is None else _s(int(answered["at_ns"]) - origin),
        messages=None if answered is None else sum((answered.get("servers") or {}).values()),
    )


def _errors(evidence: Evidence) -> tuple[float | None, float | None, tuple[AnswerCount, ...]]:
    """Of the posts that were not acknowledged: when the first and the last were due, and the answers."""
    posts = evidence.recording.posts
    if not evidence.has_ledger:
        return None, None, ()
    failed = np.isin(evidence.outcome, (REJECTED, INDETERMINATE)) & (evidence.intended_ns > 0)
    if not failed.any():
        return None, None, ()
    due = evidence.intended_ns[failed] - evidence.begin_ns
    statuses = Counter(posts["http_status"][failed].tolist())
    errors = tuple(AnswerCount(http_status=status or None, posts=count) for status, count in sorted(statuses.items()))
    return _s(due.min()), _s(due.max()), errors
