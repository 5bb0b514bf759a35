"""What a fault did, and how everything came back: the figures of the story."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.checks.evidence.disturbance import Outage
from harness.checks.evidence.evidence import Bools, Evidence, Ints
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import quantiles_ms, to_ms
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED, UNSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first fault's beginning until the last part was back, in ns; ``end_ns`` is 0 where one never was."""

    begin_ns: int
    end_ns: int

    def holds(self, at_ns: Ints) -> Bools:
        found: Bools = (at_ns >= self.begin_ns) & ((at_ns < self.end_ns) | (self.end_ns == 0))
        return found


def span(evidence: Evidence) -> Span | None:
    """None where no fault was even begun."""
    begun = [outage for outage in evidence.outages if outage.begun_ns]
    if not begun:
        return None
    back = [outage.back_ns for outage in begun]
    return Span(begin_ns=min(outage.begun_ns for outage in begun), end_ns=max(back) if all(back) else 0)


def measure(evidence: Evidence, tally: Tally) -> dict[str, Any]:
    """`measurements.recovery`; empty for a run without faults.

    Times in seconds on the report's axis (0: the first measured message was due), except those "after": ``detected_s``
    counts from the fault's beginning, ``resubscribed_s`` and ``backfilled_s`` from when the broken part was back, negative
    where it came before.
    """
    outage = span(evidence)
    if outage is None:
        return {}
    found: dict[str, Any] = {
        "faults": [_fault(evidence, one) for one in evidence.outages],
        "posts": _posts(evidence, outage),
        "servers": {f"server-{index + 1}": _server(evidence, outage, index) for index in range(evidence.plan.servers)},
        "reconnected": reconnections(evidence) if evidence.recording.seen else None,
        "rebroadcast": _rebroadcast(evidence),
        **_errors(evidence, outage),
    }
    if outage.end_ns and tally.disturbed_last_ns:
        found["backfilled_s"] = _s(tally.disturbed_last_ns - outage.end_ns)
    return {key: value for key, value in found.items() if value not in (None, {}, [])}


def _s(ns: float) -> float:
    return round(float(ns) / 1e9, 3)


def _axis_ns(evidence: Evidence) -> int:
    return evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)


def _fault(evidence: Evidence, outage: Outage) -> dict[str, Any]:
    origin = _axis_ns(evidence)
    times = {
        "begun_s": outage.begun_ns,
        "done_s": outage.done_ns,
        "heal_s": outage.heal_ns,
        "back_s": outage.back_ns,
    }
    found: dict[str, Any] = {
        "what": outage.what,
        "kind": str(outage.fault.kind),
        "target": str(outage.fault.target),
        "parts": list(outage.fault.parts),
        **{name: _s(at_ns - origin) for name, at_ns in times.items() if at_ns},
        "endings": {part: seen["ended"] for part, seen in outage.seen.items() if "ended" in seen},
    }
    if outage.back_ns:
        found["outage_s"] = _s(outage.back_ns - outage.begun_ns)
    return found


def _posts(evidence: Evidence, outage: Span) -> dict[str, dict[str, Any]]:
    """The ledger of measured posts before, during and after the outage, by intended time."""
    during = outage.holds(evidence.intended_ns)
    before = evidence.intended_ns < outage.begin_ns
    found = {}
    for name, inside in (("before", before), ("during", during), ("after", ~before & ~during)):
        mine = evidence.measured & inside
        outcome = evidence.outcome[mine]
        latencies = acknowledgement_ns(evidence, mine)
        p50, p99 = quantiles_ms(latencies, (0.5, 0.99)) if len(latencies) else (None, None)
        found[name] = {
            "posted": int((outcome != UNSENT).sum()),
            "acknowledged": int((outcome == ACKNOWLEDGED).sum()),
            "rejected": int((outcome == REJECTED).sum()),
            "indeterminate": int((outcome == INDETERMINATE).sum()),
            **({} if p99 is None else {"ack_p50_ms": p50, "ack_p99_ms": p99}),
        }
    return found


def acknowledgement_ns(evidence: Evidence, which: Bools) -> Ints:
    """Intended time → answer, of those of ``which`` that were acknowledged."""
    posts = evidence.recording.posts
    if len(posts) != len(evidence.schedule):
        return np.empty(0, np.int64)
    found: Ints = (posts["answered_ns"] - posts["intended_ns"])[which & (evidence.outcome == ACKNOWLEDGED)]
    return found


def _server(evidence: Evidence, outage: Span, index: int) -> dict[str, Any]:
    """What this server's trace tells of the fault."""
    found: dict[str, Any] = {}
    states = evidence.recording.backplane.get(index)
    if states is not None and evidence.one_clock:
        lost = states["at_ns"][(states["state"] == DOWN) & (states["at_ns"] >= outage.begin_ns)]
        again = states["at_ns"][(states["state"] == SUBSCRIBED) & (states["at_ns"] >= outage.begin_ns)]
        if len(lost):
            found["detected_s"] = _s(lost[0] - outage.begin_ns)
        if len(again) and outage.end_ns:
            found["resubscribed_s"] = _s(again[-1] - outage.end_ns)
    disturbed = evidence.disturbance
    if evidence.trace is not None and disturbed is not None:
        recovered = (evidence.trace.received[index] > 0) & ~evidence.trace.live[index] & disturbed.window
        found["recovered"] = int(recovered.sum())
        if recovered.any() and outage.end_ns and evidence.one_clock:
            found["backfilled_s"] = _s(evidence.trace.written[index][recovered].max() - outage.end_ns)
    return found


def reconnections(evidence: Evidence) -> dict[str, Any]:
    """How many clients lost their connection, and how long each was without a subscription."""
    gaps: list[int] = []
    clients = 0
    for seen in evidence.recording.seen.values():
        sessions = seen.sessions[np.argsort(seen.sessions["client"], kind="stable")]
        again = np.flatnonzero(sessions["client"][1:] == sessions["client"][:-1])
        clients += len(np.unique(sessions["client"][again]))
        back = sessions["subscribed_ns"][again + 1]
        gaps += (back - sessions["ended_ns"][again])[back > 0].tolist()
    found: dict[str, Any] = {"clients": clients}
    if gaps:
        p50, p99 = quantiles_ms(np.array(gaps, np.int64), (0.5, 0.99))
        found |= {
            "p50_s": round(p50 / 1e3, 3),
            "p99_s": round(p99 / 1e3, 3),
            "last_s": round(to_ms(max(gaps)) / 1e3, 3),
        }
    return found


def _rebroadcast(evidence: Evidence) -> dict[str, Any]:
    asked, answered = evidence.recording.event("rebroadcast"), evidence.recording.event("rebroadcast-done")
    if asked is None:
        return {}
    origin = _axis_ns(evidence)
    found: dict[str, Any] = {"asked_s": _s(int(asked["at_ns"]) - origin)}
    if answered is not None:
        servers: Mapping[str, int] = answered.get("servers") or {}
        found |= {"answered_s": _s(int(answered["at_ns"]) - origin), "messages": sum(servers.values())}
    return found


def _errors(evidence: Evidence, outage: Span) -> dict[str, Any]:
    """The posts that were not acknowledged: when the first and the last were due, and what was answered."""
    posts = evidence.recording.posts
    if len(posts) != len(evidence.schedule):
        return {}
    failed = np.isin(evidence.outcome, (REJECTED, INDETERMINATE)) & (evidence.intended_ns > 0)
    if not failed.any():
        return {}
    due = evidence.intended_ns[failed] - _axis_ns(evidence)
    statuses = Counter(posts["http_status"][failed].tolist())
    return {
        "first_error_s": _s(due.min()),
        "last_error_s": _s(due.max()),
        "errors": {str(status) if status else "no answer": count for status, count in sorted(statuses.items())},
    }
