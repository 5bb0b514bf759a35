"""The time of each step, and the hop at which a lost delivery was lost, from the servers' traces."""

from collections.abc import Callable, Iterator

import numpy as np

from harness.checks.evidence.account import Account
from harness.checks.evidence.evidence import Bools, Evidence, Ints, Trace
from harness.checks.evidence.host_clocks import UNKNOWN_NS
from harness.checks.evidence.tally import Tally
from harness.checks.run import durability_lag
from harness.checks.statistics.distribution import Distribution, to_ms
from harness.model.measurements.delivery import LostAt
from harness.model.measurements.steps import StepLatencies

NEGATIVE_SHARE_LIMIT = 0.01
"""If this share of a step's samples is impossible, its percentiles are wrong."""


def measure(evidence: Evidence, tally: Tally) -> StepLatencies | None:
    """Percentiles of each step over the measured window; None without traces.

    If something was interrupted, the first four steps are of messages that were due outside of the interruption. A step
    is left out if it begins and ends on hosts whose clocks cannot be compared, or if it ended before it could begin.
    """
    trace = evidence.trace
    if trace is None:
        return None
    calm = evidence.measured if evidence.disturbance is None else evidence.measured & ~evidence.disturbance.window
    commits_first = durability_lag.commits_first(evidence)
    committed = calm & (trace.accepted > 0) & (trace.committed > 0)
    traced = committed if commits_first else calm & (trace.accepted > 0)
    published = traced & (trace.published > 0)
    bounds = _bounds_ns(evidence, trace, traced, published)
    left_out = tuple(step for step, bound_ns in bounds.items() if bound_ns >= UNKNOWN_NS)
    known = [bound_ns for bound_ns in bounds.values() if bound_ns < UNKNOWN_NS]
    every: dict[str, Callable[[], Distribution]] = {
        "ingest": lambda: _ingest(evidence, trace, traced),
        # One server accepts, commits and publishes a message: one clock.
        **(_commit_then_publish(trace, traced, published) if commits_first else _publish_then_commit(trace, committed)),
        # A broker that numbers and publishes in one step answers its server no sooner than it serves the others.
        "fan_out": lambda: _fan_out(evidence, trace, trace.published if commits_first else trace.accepted, published),
        "push": lambda: tally.timings.push,
    }
    found = {step: values() for step, values in every.items() if step not in left_out}
    # A server may receive a message before the publishing server has noted the publication, but not before the message
    # was accepted.
    lasting = found | ({"fan_out": _fan_out(evidence, trace, trace.accepted, published)} if "fan_out" in found else {})
    negative = tuple(
        step
        for step, values in found.items()
        if _is_negative(values, 0.5, bounds.get(step, 0))
        or _is_negative(lasting[step], NEGATIVE_SHARE_LIMIT, bounds.get(step, 0))
    )
    figures = {step: values.percentiles() for step, values in found.items() if step not in negative}
    return StepLatencies(
        ingest=figures.get("ingest"),
        commit=figures.get("commit"),
        publish=figures.get("publish"),
        fan_out=figures.get("fan_out"),
        push=figures.get("push"),
        persist=figures.get("persist"),
        total=tally.timings.latency.percentiles(),
        left_out=left_out,
        negative=negative,
        clock_bound_ms=to_ms(max(known, default=0)),
    )


def _commit_then_publish(trace: Trace, traced: Bools, published: Bools) -> dict[str, Callable[[], Distribution]]:
    return {
        "commit": lambda: Distribution.of((trace.committed - trace.accepted)[traced]),
        "publish": lambda: Distribution.of((trace.published - trace.committed)[published]),
    }


def _publish_then_commit(trace: Trace, committed: Bools) -> dict[str, Callable[[], Distribution]]:
    both = committed & (trace.published > 0)
    return {
        "publish": lambda: Distribution.of((trace.published - trace.accepted)[both]),
        "persist": lambda: Distribution.of((trace.committed - trace.published)[both]),
    }


def _is_negative(values: Distribution, share: float, bound_ns: int) -> bool:
    """Whether this share of the samples or more is below zero by more than the clocks explain."""
    return len(values) > 0 and values.quantiles_ms((share,))[0] < -to_ms(bound_ns)


def _bounds_ns(evidence: Evidence, trace: Trace, traced: Bools, published: Bools) -> dict[str, int]:
    """The largest error of a sample of each step between hosts; UNKNOWN_NS or more if it is not known."""
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


def _ingest(evidence: Evidence, trace: Trace, traced: Bools) -> Distribution:
    taken_ns = evidence.clocks.elapsed_ns(
        evidence.intended_ns[traced],
        evidence.generator_host,
        trace.accepted[traced],
        evidence.server_host[trace.accepted_by[traced]],
    )
    return Distribution.of(taken_ns.middle)


def _fan_out(evidence: Evidence, trace: Trace, since_ns: Ints, published: Bools) -> Distribution:
    """From ``since_ns``, on the clock of the accepting server, until each other server received the message."""

    def pieces() -> Iterator[tuple[Ints, Ints]]:
        for server, (received, live) in enumerate(zip(trace.received, trace.live, strict=True)):
            which = live & published
            taken_ns = evidence.clocks.elapsed_ns(
                since_ns[which],
                evidence.server_host[trace.accepted_by[which]],
                received[which],
                int(evidence.server_host[server]),
            ).middle
            yield taken_ns, np.zeros(len(taken_ns), np.int64)

    return Distribution.count(pieces, 1)


def lost_at(evidence: Evidence, account: Account) -> tuple[LostAt, ...]:
    """How many lost deliveries each hop lost; empty if none was lost or nothing was traced. A delivery was lost at the
    first hop after which it has no trace.
    """
    trace = evidence.trace
    if trace is None or not len(account.lost_message):
        return ()
    message, client = account.lost_message, account.lost_client
    server = evidence.client_server[client]
    commits_first = durability_lag.commits_first(evidence)
    hops = {
        "accepted, but in no server's trace": trace.accepted[message] == 0,
        "accepted → committed": (trace.committed[message] == 0) & commits_first,
        f"{'committed' if commits_first else 'accepted'} → published": (trace.published[message] == 0)
        & (trace.received[server, message] == 0),
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
    """Whether a server wrote a message to fewer sockets than it has clients of the channel, shape (servers,
    messages)."""
    plan = evidence.plan
    pairs = evidence.client_server * plan.channels + evidence.client_channel
    members = np.bincount(pairs, minlength=plan.servers * plan.channels).reshape(plan.servers, plan.channels)
    short: Bools = trace.sockets < members[:, evidence.channel]
    return short
