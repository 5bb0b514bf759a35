"""How much later than the delivery messages were stored, over the run; and the expected loss of a killed server."""

from math import sqrt

import numpy as np

from harness.checks.evidence.disturbance import broken_servers
from harness.checks.evidence.evidence import Bools, Evidence, Ints, Trace
from harness.checks.statistics.distribution import Distribution
from harness.model.backplane import WRITE_PATHS
from harness.model.fault import FaultKind, Target
from harness.model.finding import Series
from harness.model.measurements.durability import Durability, NotStoredAt, ServerLoss
from harness.recording.format import ACKNOWLEDGED

POINTS = 600
PERSIST = "published → stored (persist)"


def commits_first(evidence: Evidence) -> bool:
    """Whether the write path of the run promises to publish only what is committed."""
    path = WRITE_PATHS.find(evidence.plan.write_path)
    return path is None or path.commits_first


def measure(evidence: Evidence) -> Durability | None:
    """None if there is neither a trace nor an audit of the stored messages."""
    trace = evidence.trace
    if trace is None and evidence.stored_seq is None:
        return None
    lag, persist = (None, None) if trace is None else _lags(evidence, trace)
    times = None if trace is None else _exposure(evidence, trace)
    return Durability(
        lag=None if lag is None else Distribution.of(lag).percentiles(),
        persist=None if persist is None or commits_first(evidence) else Distribution.of(persist).percentiles(),
        exposed_max=None if times is None else int(times[1].max(initial=0)),
        not_stored_at=_not_stored_at(evidence),
        losses=_losses(evidence),
    )


def series(evidence: Evidence) -> dict[str, Series]:
    """The exposure over time: messages delivered and not stored. Absent if there was no such message."""
    found = None if evidence.trace is None or not evidence.start_ns else _exposure(evidence, evidence.trace)
    if found is None or not found[1].max(initial=0):
        return {}
    at_ns, exposed = found
    x = np.linspace(at_ns[0], at_ns[-1], POINTS).astype(np.int64)
    # The most in each interval, not the state at its end: messages are stored in batches, and a sample could miss the
    # peak.
    place = np.searchsorted(at_ns, x, side="right") - 1
    starts = np.concatenate(([0], place[:-1]))
    values = tuple(float(exposed[a : b + 1].max(initial=0)) for a, b in zip(starts, place, strict=True))
    axis = tuple(round((int(each) - evidence.begin_ns) / 1e9, 3) for each in x)
    lines = {"delivered, not stored": values}
    return {"exposure": Series(x_label="seconds measured", y_label="messages", x=axis, lines=lines)}


def _first_written(evidence: Evidence, trace: Trace) -> Ints:
    """When each message was first handed to a socket, on the coordinator's clock; 0 if it never was."""
    found = np.zeros(trace.written.shape[1], np.int64)
    for server, written in enumerate(trace.written):
        seen = written > 0
        at_ns = _on_coordinator(evidence, written, np.full(len(written), evidence.server_host[server]))
        earlier = seen & ((found == 0) | (at_ns < found))
        found[earlier] = at_ns[earlier]
    return found


def _on_coordinator(evidence: Evidence, at_ns: Ints, host: Ints) -> Ints:
    """Times of hosts on the coordinator's clock, by the known offsets."""
    zero = np.zeros(len(at_ns), np.int64)
    return evidence.clocks.elapsed_ns(zero, evidence.clocks.coordinator, at_ns, host).middle


def _lags(evidence: Evidence, trace: Trace) -> tuple[Ints, Ints]:
    """(first delivered → stored, published → stored) of every message of which the trace says both."""
    written = _first_written(evidence, trace)
    stored = _on_coordinator(evidence, trace.committed, evidence.server_host[trace.accepted_by])
    both = (trace.committed > 0) & (written > 0)
    published = (trace.committed > 0) & (trace.published > 0)
    return (stored - written)[both], (trace.committed - trace.published)[published]


def _exposure(evidence: Evidence, trace: Trace) -> tuple[Ints, Ints] | None:
    """(times, how many messages were delivered and not stored from then on). A message that is not in the database
    stays exposed; one that is there, and whose trace died with its server, is left out."""
    written = _first_written(evidence, trace)
    stored = _on_coordinator(evidence, trace.committed, evidence.server_host[trace.accepted_by])
    known = (written > 0) & (trace.committed > 0) & (stored > written)
    never = (written > 0) & (trace.committed == 0) & _missing(evidence)
    begins, ends = written[known | never], stored[known]
    if not len(written[written > 0]):
        return None
    at_ns = np.concatenate((begins, ends))
    order = np.argsort(at_ns, kind="stable")
    steps = np.concatenate((np.ones(len(begins), np.int64), -np.ones(len(ends), np.int64)))
    if not len(at_ns):
        return np.array([evidence.begin_ns]), np.zeros(1, np.int64)
    return at_ns[order], np.cumsum(steps[order])


def _missing(evidence: Evidence) -> Bools:
    if evidence.stored_seq is None:
        return np.zeros(len(evidence.outcome), np.bool_)
    found: Bools = evidence.stored_seq == 0
    return found


def _not_stored_at(evidence: Evidence) -> tuple[NotStoredAt, ...]:
    """The hop after which nothing more is known of each acknowledged message that the database lacks. A delivered
    message was published, even if the trace of its server is gone."""
    lacking = _missing(evidence) & (evidence.outcome == ACKNOWLEDGED)
    if not lacking.any():
        return ()
    trace = evidence.trace
    published = np.zeros(len(lacking), np.bool_)
    if trace is not None:
        published = (trace.published > 0) | (trace.received > 0).any(axis=0)
    counts = {PERSIST: int((lacking & published).sum()), "accepted → stored": int((lacking & ~published).sum())}
    return tuple(NotStoredAt(hop=hop, messages=count) for hop, count in counts.items() if count)


def _losses(evidence: Evidence) -> tuple[ServerLoss, ...]:
    if evidence.stored_seq is None or not evidence.has_ledger:
        return ()
    plan = evidence.plan
    rate_hz = plan.rate_hz / plan.servers
    usual_s = _usual_lag_s(evidence)
    found = []
    for fault in evidence.faults:
        times = fault.times
        if fault.kind is not FaultKind.KILL or fault.target not in (Target.SERVER, Target.SERVERS) or times is None:
            continue
        killed_ns = times.begun_ns
        lag_s = usual_s + _database_away_s(evidence, killed_ns)
        messages = plan.rate_hz * lag_s
        expected = 0.0 if commits_first(evidence) else rate_hz * lag_s
        # Each message has a random server: a binomial count with probability 1/servers.
        half = 0.0 if commits_first(evidence) else 1.96 * sqrt(messages * (1 - 1 / plan.servers) / plan.servers)
        for server in broken_servers((fault,)):
            mine = evidence.recording.posts["server"] == server
            lost = mine & _missing(evidence) & (evidence.outcome == ACKNOWLEDGED)
            found.append(
                ServerLoss(
                    server=f"server-{server + 1}",
                    killed_s=round((killed_ns - evidence.begin_ns) / 1e9, 3),
                    rate_hz=round(rate_hz, 4),
                    lag_s=round(lag_s, 4),
                    expected=round(expected, 1),
                    expected_low=round(max(0.0, expected - half), 1),
                    expected_high=round(expected + half, 1),
                    found=int(lost.sum()),
                )
            )
    return tuple(found)


def _database_away_s(evidence: Evidence, at_ns: int) -> float:
    """For how long the database had been broken at that moment; 0 if it was not."""
    begun = [
        outage.begun_ns
        for outage in evidence.outages
        if outage.fault.target is Target.DATABASE and outage.begun_ns <= at_ns <= outage.back_ns
    ]
    return (at_ns - min(begun)) / 1e9 if begun else 0.0


def _usual_lag_s(evidence: Evidence) -> float:
    """The mean time from publication to COMMIT of what was stored before the first outage; 0 if that is not
    known."""
    trace = evidence.trace
    if trace is None or not evidence.outages:
        return 0.0
    calm = (trace.published > 0) & (trace.committed > 0)
    stored = _on_coordinator(evidence, trace.committed, evidence.server_host[trace.accepted_by])
    calm &= stored < min(outage.begun_ns for outage in evidence.outages)
    return float((trace.committed - trace.published)[calm].mean()) / 1e9 if calm.any() else 0.0
