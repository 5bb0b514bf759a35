"""Where does the time go, step by step, and at which hop was a lost delivery lost? Both from the servers' traces."""

from collections.abc import Iterator

import numpy as np

from harness.checks.evidence.account import Account
from harness.checks.evidence.clocks import UNKNOWN_NS
from harness.checks.evidence.evidence import Bools, Evidence, Ints, Trace
from harness.checks.evidence.tally import Tally
from harness.checks.statistics.distribution import Distribution, percentiles, to_ms
from harness.model.measurements.delivery import LostAt
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.steps import StepLatencies


def measure(evidence: Evidence, tally: Tally) -> StepLatencies | None:
    """Percentiles of each step over the measured window; None without traces.

    In a run with faults the first four steps are of messages that were due outside the outage. A step is left out where it
    begins and ends on hosts whose clocks cannot be compared.
    """
    trace = evidence.trace
    if trace is None:
        return None
    calm = evidence.measured if evidence.disturbance is None else evidence.measured & ~evidence.disturbance.window
    traced = calm & (trace.accepted > 0) & (trace.committed > 0)
    published = traced & (trace.published > 0)
    bounds = _bounds_ns(evidence, trace, traced, published)
    left_out = tuple(step for step, bound_ns in bounds.items() if bound_ns >= UNKNOWN_NS)
    known = [bound_ns for bound_ns in bounds.values() if bound_ns < UNKNOWN_NS]
    return StepLatencies(
        ingest=None if "ingest" in left_out else _ingest(evidence, trace, traced),
        # One server accepts, commits and publishes a message: one clock.
        commit=percentiles((trace.committed - trace.accepted)[traced]),
        publish=percentiles((trace.published - trace.committed)[published]),
        fan_out=None if "fan_out" in left_out else _fan_out(evidence, trace, published),
        push=None if "push" in left_out else tally.timings.push.percentiles(),
        total=tally.timings.latency.percentiles(),
        left_out=left_out,
        clock_bound_ms=to_ms(max(known, default=0)),
    )


def _bounds_ns(evidence: Evidence, trace: Trace, traced: Bools, published: Bools) -> dict[str, int]:
    """How wrong a sample of each step can be that goes from host to host; UNKNOWN_NS or more where that is not known."""
    clocks, hosts = evidence.clocks, evidence.server_host
    accepting = hosts[np.unique(trace.accepted_by[traced])]
    publishing = hosts[np.unique(trace.accepted_by[published])]
    receiving = hosts[(trace.live & published).any(axis=1)]
    workers = np.array([clocks.of_file(f"deliveries-{worker:02}") for worker in evidence.recording.seen], np.int64)
    return {
        "ingest": int(clocks.bound_ns(accepting, evidence.generator_host).max(initial=0)),
        "fan_out": int(clocks.bound_ns(publishing[:, None], receiving[None, :]).max(initial=0)),
        "push": int(clocks.bound_ns(hosts[:, None], workers[None, :]).max(initial=0)),
    }


def _ingest(evidence: Evidence, trace: Trace, traced: Bools) -> Percentiles:
    taken_ns = evidence.clocks.elapsed_ns(
        evidence.intended_ns[traced],
        evidence.generator_host,
        trace.accepted[traced],
        evidence.server_host[trace.accepted_by[traced]],
    )
    return percentiles(taken_ns.middle)


def _fan_out(evidence: Evidence, trace: Trace, published: Bools) -> Percentiles:
    def pieces() -> Iterator[tuple[Ints, Ints]]:
        for server, (received, live) in enumerate(zip(trace.received, trace.live, strict=True)):
            which = live & published
            taken_ns = evidence.clocks.elapsed_ns(
                trace.published[which],
                evidence.server_host[trace.accepted_by[which]],
                received[which],
                int(evidence.server_host[server]),
            ).middle
            yield taken_ns, np.zeros(len(taken_ns), np.int64)

    return Distribution.count(pieces, 1).percentiles()


def lost_at(evidence: Evidence, account: Account) -> tuple[LostAt, ...]:
    """How many lost deliveries each hop lost; empty where none was lost or nothing was traced.

    The first hop after which no trace of a delivery is found has lost it.
    """
    trace = evidence.trace
    if trace is None or not len(account.lost_message):
        return ()
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
    return tuple(LostAt(hop=hop, deliveries=count) for hop, count in found.items() if count)


def _short_of_sockets(evidence: Evidence, trace: Trace) -> Bools:
    """Where a server wrote a message to fewer sockets than it has clients of the channel, shape (servers, messages)."""
    plan = evidence.plan
    pairs = evidence.client_server * plan.channels + evidence.client_channel
    members = np.bincount(pairs, minlength=plan.servers * plan.channels).reshape(plan.servers, plan.channels)
    short: Bools = trace.sockets < members[:, evidence.channel]
    return short
