"""The data that checks share: the plan's arithmetic, the ledger and the traces, joined once by message."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.disturbance import Disturbance, Outage, disturbance, outages, timed_faults
from harness.checks.evidence.heartbeats import heartbeats_of
from harness.checks.evidence.host_clocks import HostClocks
from harness.checks.evidence.interruptions import Interruptions, interruptions
from harness.checks.evidence.measured_window import measured_window
from harness.checks.evidence.message_index import MessageIndex
from harness.checks.evidence.scratch import zeros
from harness.checks.evidence.sessions import Sessions, sessions_of
from harness.model.environment import ENVIRONMENTS
from harness.model.fault import Fault
from harness.model.plan import Plan
from harness.planning.arrivals import MEASURED, PROBE, WARM_UP, Schedule, schedule
from harness.planning.placement import audiences, client_channels, client_servers
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, UNSENT
from harness.recording.reader import Recording, Rows

PHASES = {"probe": PROBE, "warm_up": WARM_UP, "measured": MEASURED}

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECONDS_AT_MOST = 1_200
"""Tables by second have no more rows, so that they are small (8 MB each) for runs of any length."""


def slice_s(plan: Plan) -> int:
    """How long each slice of the measured window is, in whole seconds: 1 in runs of up to `SECONDS_AT_MOST` seconds."""
    return max(1, ceil(plan.duration_s / SECONDS_AT_MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The servers' traces by message, in ns on the clock of the server's host; 0 if the server did not see the message.

    ``accepted``, ``committed``, ``published``: of the server ``accepted_by``, shape (messages,). ``received``,
    ``written``, ``sockets``: shape (servers, messages). ``live``: the message came over the backplane, shape (servers,
    messages).
    """

    accepted_by: Ints
    accepted: Ints
    committed: Ints
    published: Ints
    received: Ints
    written: Ints
    sockets: NDArray[np.uint32]
    live: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Arrays by message have shape (messages,), arrays by client (clients,).

    A (message, client) pair has the number ``base[message] + client - first_client[channel]``; there are ``pairs`` of
    them.
    """

    recording: Recording
    plan: Plan
    schedule: Schedule
    channel: Ints
    outcome: NDArray[np.uint8]
    """INDETERMINATE for all messages if the ledger is missing"""
    has_ledger: bool
    """whether posts.npy has one row for each message of the schedule"""
    intended_ns: Ints
    """0 for messages that were never due"""
    second: Ints
    """of the measured window, in which each was due; 0 for those before it. In a window of more than `SECONDS_AT_MOST`
    it counts slices of ``slice_s`` seconds instead"""
    measured: Bools
    timed: Bools
    """which measured messages have an intended time; without the ledger none has"""
    seq: Ints
    """the seq of each message: as stored, else as acknowledged, else 0"""
    stored_seq: Ints | None
    """the seq under which the database holds each message, 0 for none; None if there was no audit"""
    audience: Ints
    """by channel"""
    client_channel: Ints
    client_server: Ints
    """the server of each client when the measured window began, by its connections"""
    first_client: Ints
    """by channel"""
    base: Ints
    pairs: int
    trace: Trace | None
    clocks: HostClocks
    server_host: Ints
    """by server: the host whose clock its trace has; a separate host with an unknown offset if the trace contradicts
    clocks.json about that clock"""
    impossible_times: Ints
    """by server: posts that by clocks.json it accepted before they were sent, or after they were answered"""
    generator_host: int
    """the host of the ledger"""
    faults: tuple[Fault, ...]
    """those of the plan, with their times"""
    outages: tuple[Outage, ...]
    """of the faults that were begun"""
    sessions: Sessions
    interruptions: Interruptions
    heartbeats: Mapping[str, Rows]
    """by process of the load generator, on the harness's clock"""
    disturbance: Disturbance | None
    """None if no fault was begun and nothing else was interrupted"""
    reconnected: Bools
    """by client: had more than one connection, so that it was not always on ``client_server``"""
    start_ns: int
    """when offset 0 of the schedule was due; 0 if the schedule never began"""
    ended: str
    """how the run ended: ``complete``, ``casualty``, ``interrupted``, ``failed``; empty if the recording does not
    say"""
    why: str

    @property
    def complete(self) -> bool:
        return self.ended == "complete"

    @property
    def owns_servers(self) -> bool:
        """Whether the harness started the servers: then their processes are known, and they keep a trace."""
        environment = ENVIRONMENTS.find(self.plan.environment)
        return environment is not None and environment.owns_components

    @property
    def begin_ns(self) -> int:
        """When the first measured message was due: 0 on the report's time axis."""
        return self.start_ns + int(self.plan.warm_up_s * 1e9)

    @property
    def window_ns(self) -> tuple[int, int]:
        """(begin, end) of the measured window: `harness.checks.evidence.measured_window`."""
        return measured_window(self.recording)


def gather(recording: Recording, attempts: Attempts | None = None) -> Evidence:
    """Join the parts of the recording that exist; ``attempts`` keeps the parts that could not be joined."""
    attempts = attempts or Attempts()
    plan = recording.plan
    made = schedule(plan)
    channel = made.channel.astype(np.int64)
    ledger = _read_ledger(recording, len(made), attempts)
    stored_seq = attempts.make("audit", lambda: _stored_seq(recording, len(made)), None)
    seq = ledger.seq
    if stored_seq is not None:
        # If an answer names another seq than the database, the database is right, and the answer is counted as the
        # error.
        seq = np.where(stored_seq > 0, stored_seq, seq)
    trace = attempts.make("traces", lambda: _join_traces(recording, plan, len(made), channel, seq), None)
    clocks = HostClocks(recording.clocks)
    generator_host = clocks.of_file("posts")
    server_host = np.array([clocks.of_file(f"accepted-{server:02}") for server in range(plan.servers)], np.int64)
    impossible = np.zeros(plan.servers, np.int64)
    if trace is not None and ledger.known:
        impossible = _impossible_times(recording, ledger, trace, clocks, server_host, generator_host)
        for server in np.flatnonzero(impossible):
            server_host[server] = clocks.of_file(f"the contradicted clock of server-{server + 1}")
    event = recording.event("schedule")
    start_ns = int(event["start_ns"]) if event else 0
    begun = tuple(outages(timed_faults(recording)))
    sessions = attempts.make("sessions", lambda: sessions_of(recording, clocks), Sessions.none())
    client_server = sessions.servers_at(start_ns + int(plan.warm_up_s * 1e9), client_servers(plan))
    broken_off = interruptions(recording, sessions, clocks, server_host, begun, start_ns)
    recovered = None if trace is None else (trace.received > 0) & ~trace.live
    audience = audiences(plan)
    sizes = audience[channel]
    ended = recording.event("ended") or {}
    return Evidence(
        recording=recording,
        plan=plan,
        schedule=made,
        channel=channel,
        outcome=ledger.outcome,
        has_ledger=ledger.known,
        intended_ns=ledger.intended_ns,
        second=_slices(plan, ledger.intended_ns, start_ns),
        measured=made.phase == MEASURED,
        timed=(made.phase == MEASURED) & (ledger.intended_ns > 0),
        start_ns=start_ns,
        seq=seq,
        stored_seq=stored_seq,
        audience=audience,
        client_channel=client_channels(plan),
        client_server=client_server,
        first_client=np.arange(plan.channels) * plan.audience,
        base=np.cumsum(sizes) - sizes,
        pairs=int(sizes.sum()),
        trace=trace,
        clocks=clocks,
        server_host=server_host,
        impossible_times=impossible,
        generator_host=generator_host,
        faults=timed_faults(recording),
        outages=begun,
        sessions=sessions,
        interruptions=broken_off,
        heartbeats=attempts.make("heartbeats", lambda: heartbeats_of(recording, clocks), recording.heartbeats),
        disturbance=disturbance(
            recording,
            clocks,
            begun,
            interrupted=broken_off.window(ledger.intended_ns) if broken_off else None,
            sessions=sessions,
            client_server=client_server,
            intended_ns=ledger.intended_ns,
            meant_for=made.server,
            recovered=recovered,
        ),
        reconnected=np.bincount(sessions.client, minlength=plan.clients) > 1,
        ended=str(ended.get("how", "")),
        why=str(ended.get("why", "")),
    )


def _slices(plan: Plan, intended_ns: Ints, start_ns: int) -> Ints:
    since_ns = intended_ns - start_ns - int(plan.warm_up_s * 1e9)
    found: Ints = np.maximum(since_ns // (slice_s(plan) * 1_000_000_000), 0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ledger:
    """posts.npy by message. If it is missing, the outcome of every post is unknown."""

    known: bool
    outcome: NDArray[np.uint8]
    intended_ns: Ints
    seq: Ints


def _read_ledger(recording: Recording, total: int, attempts: Attempts) -> _Ledger:
    posts = recording.posts
    known = len(posts) == total
    outcome = np.full(total, INDETERMINATE, np.uint8)
    intended_ns, seq = np.zeros(total, np.int64), np.zeros(total, np.int64)
    if known:
        outcome[:], intended_ns[:], seq[:] = posts["outcome"], posts["intended_ns"], posts["seq"]
        # The message was sent, but the sender ended before it recorded the outcome.
        outcome[(outcome == UNSENT) & (posts["sent_ns"] > 0)] = INDETERMINATE
    else:
        attempts.note("ledger", f"posts.npy: expected {total:,} rows, found {len(posts):,}")
    return _Ledger(known=known, outcome=outcome, intended_ns=intended_ns, seq=seq)


def _stored_seq(recording: Recording, total: int) -> Ints | None:
    if recording.stored is None:
        return None
    found = np.zeros(total, np.int64)
    known = recording.stored["message"] >= 0
    found[recording.stored["message"][known]] = recording.stored["seq"][known]
    return found


def _impossible_times(
    recording: Recording, ledger: _Ledger, trace: Trace, clocks: HostClocks, server_host: Ints, generator_host: int
) -> Ints:
    """By server: how many acknowledged posts it accepted before they were sent or after they were answered, more than
    the clocks' error can explain. No server can do that with any write path: so clocks.json is wrong about its
    clock."""
    posts = recording.posts
    which = (
        (trace.accepted > 0) & (ledger.outcome == ACKNOWLEDGED) & (posts["sent_ns"] > 0) & (posts["answered_ns"] > 0)
    )
    server = trace.accepted_by[which]
    host = server_host[server]
    sent_ns, answered_ns = (posts[name][which].astype(np.int64) for name in ("sent_ns", "answered_ns"))
    since_sent = clocks.elapsed_ns(sent_ns, generator_host, trace.accepted[which], host)
    until_answered = clocks.elapsed_ns(trace.accepted[which], host, answered_ns, generator_host)
    wrong = (since_sent.high < 0) | (until_answered.high < 0)
    return np.bincount(server[wrong], minlength=len(server_host)).astype(np.int64)


def must_arrive(evidence: Evidence, delivered: Ints) -> Bools:
    """Which messages every client of their channel must have.

    Acknowledged ones; and of those with an unknown outcome the ones that turned out to exist, because the database
    holds them or because a client received them (``delivered``: clients by message). A message is for all clients or
    for none.
    """
    exists = delivered > 0
    if evidence.stored_seq is not None:
        exists |= evidence.stored_seq > 0
    must: Bools = (evidence.outcome == ACKNOWLEDGED) | ((evidence.outcome == INDETERMINATE) & exists)
    return must


def _join_traces(recording: Recording, plan: Plan, total: int, channel: Ints, seq: Ints) -> Trace | None:
    if not recording.accepted and not recording.delivered:
        return None
    find = MessageIndex(channel, seq).find
    by_message = np.zeros((3, total), np.int64)
    accepted_by = np.zeros(total, np.int64)
    for server, rows in recording.accepted.items():
        at, known = find(rows["channel"], rows["seq"])
        accepted_by[at] = min(server, plan.servers - 1)
        for row, name in enumerate(("accepted_ns", "committed_ns", "published_ns")):
            by_message[row, at] = rows[name][known]
    shape = (plan.servers, total)
    received, written = zeros(shape, np.int64), zeros(shape, np.int64)
    sockets, recovered = zeros(shape, np.uint32), zeros(shape, np.bool_)
    for server, rows in recording.delivered.items():
        if server < plan.servers:
            at, known = find(rows["channel"], rows["seq"])
            received[server, at] = rows["received_ns"][known]
            written[server, at] = rows["written_ns"][known]
            sockets[server, at] = rows["sockets"][known]
            recovered[server, at] = rows["recovered"][known] != 0
    return Trace(
        accepted_by=accepted_by,
        accepted=by_message[0],
        committed=by_message[1],
        published=by_message[2],
        received=received,
        written=written,
        sockets=sockets,
        live=~recovered & (received > 0),
    )
