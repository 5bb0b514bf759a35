"""Where does the time go, step by step, and at which hop was a lost delivery lost? Both from the servers' traces."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.checks.evidence.evidence import Evidence, Trace
from harness.checks.evidence.tally import Tally
from harness.checks.run.delivery import Account
from harness.checks.statistics.distribution import Distribution, Ints, summary_ms

STEPS = ("ingest", "commit", "publish", "fan_out", "push")


def measure(evidence: Evidence, tally: Tally) -> dict[str, dict[str, Any]]:
    """`measurements.steps_ms`: percentiles of each step over the measured window; empty without traces.

    ingest: intended time → accepted by a server. commit: → COMMIT confirmed. publish: → handed to the backplane. Those
    three per message. fan_out: published → received by a server with subscribers, per message and server. push: received
    by the server → received by its client, per delivery. total: intended time → received by a client, per delivery.

    In a run with faults the first four are of messages due outside the outage: what a fault holds up is told elsewhere.
    """
    trace = evidence.trace
    if trace is None:
        return {}
    calm = evidence.measured if evidence.disturbance is None else evidence.measured & ~evidence.disturbance.window
    traced = calm & (trace.accepted > 0) & (trace.committed > 0)
    published = traced & (trace.published > 0)

    def fanned() -> Iterator[tuple[Ints, Ints]]:
        for received, live in zip(trace.received, trace.live, strict=True):
            which = live & published
            taken_ns = (received - trace.published)[which]
            yield taken_ns, np.zeros(len(taken_ns), np.int64)

    # Of steps that begin or end with us only the servers' own part is known where they have another clock.
    ingest_ns = (trace.accepted - evidence.intended_ns)[traced & evidence.one_clock]
    return {
        "ingest": summary_ms(ingest_ns),
        "commit": summary_ms((trace.committed - trace.accepted)[traced]),
        "publish": summary_ms((trace.published - trace.committed)[published]),
        "fan_out": Distribution.count(fanned, 1).summary_ms(),
        "push": tally.timings.push.summary_ms(),
        "total": tally.timings.latency.summary_ms(),
    }


def lost_at(evidence: Evidence, account: Account) -> dict[str, int]:
    """How many lost deliveries each hop lost; empty where none was lost or nothing was traced.

    A delivery is charged to the first hop after which no trace of it is found.
    """
    trace = evidence.trace
    if trace is None or not len(account.lost_message):
        return {}
    message, client = account.lost_message, account.lost_client
    server = evidence.client_server[client]
    hops = {
        "accepted, but in no server's trace": trace.accepted[message] == 0,
        "accepted → committed": trace.committed[message] == 0,
        "committed → published": (trace.published[message] == 0) & (trace.received[server, message] == 0),
        "published → received by the client's server": trace.received[server, message] == 0,
        "received by the server → written to the socket": _short_of_sockets(evidence, trace)[server, message],
    }
    found: dict[str, int] = {}
    open_ = np.ones(len(message), np.bool_)
    for hop, lost_here in hops.items():
        found[hop] = int((open_ & lost_here).sum())
        open_ &= ~lost_here
    found["written to the socket → received by the client"] = int(open_.sum())
    return {hop: count for hop, count in found.items() if count}


def _short_of_sockets(evidence: Evidence, trace: Trace) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """Where a server wrote a message to fewer sockets than it has clients of the channel, shape (servers, messages)."""
    plan = evidence.plan
    pairs = evidence.client_server * plan.channels + evidence.client_channel
    members = np.bincount(pairs, minlength=plan.servers * plan.channels).reshape(plan.servers, plan.channels)
    short: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = trace.sockets < members[:, evidence.channel]
    return short
