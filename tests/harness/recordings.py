"""Hand-made recordings with few messages and few rows.

    run = HandMade(clients=4, audience=2)          # channel 0 has clients 0 and 1, channel 1 has 2 and 3
    run.post(channel=0)                            # message 0, seq 1, acknowledged, stored, delivered to its audience
    run.post(channel=0, to=[0])                    # client 1 never gets this one
    verdict = run.verdict(tmp_path)

The test's posts replace the messages of the schedule. They have one phase without probes and are 10 ms apart.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from harness.checks.judge import judge
from harness.model.clock import Clocks, HostClock, clocks_of
from harness.model.component import LOCAL_HOST
from harness.model.finding import Finding, Verdict
from harness.model.incident import Incident
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.plan import Plan
from harness.planning.arrivals import MEASURED, Schedule
from harness.recording import format as layout
from harness.recording.reader import Recording, Seen
from tests.harness.hand_made_samples import QUIET_S, START_NS, drained_ns, heartbeats, telemetry
from tests.harness.plans import a_plan

MS = 1_000_000
BEFORE_NS, AFTER_NS = (START_NS - 2_000 * MS, START_NS - 1_999 * MS), START_NS + 3_600_000 * MS
"""The times of a client that stays connected: when it connects and subscribes, and when its load worker disconnects."""


@dataclass(slots=True)
class _Post:
    channel: int
    phase: int
    outcome: int
    seq: int
    acknowledged_seq: int
    stored: bool
    answered_ns: int
    committed_ns: int
    published_ns: int


@dataclass
class HandMade:
    """Builds one recording. Times are in ms after the message's intended time."""

    clients: int = 4
    audience: int = 2
    servers: int = 2
    ended: str = "complete"
    audited: bool = True
    traced: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    posts: list[_Post] = field(default_factory=list)
    deliveries: list[tuple[int, int, int]] = field(default_factory=list)
    frames: list[tuple[int, int, int, int]] = field(default_factory=list)
    sessions: list[tuple[int, ...]] = field(default_factory=list)
    """(client, position), or a whole row of SESSION"""
    silent: set[tuple[int, int]] = field(default_factory=set)
    unpublished: set[int] = field(default_factory=set)
    recovered: set[int] = field(default_factory=set)
    """messages that servers read from the database, 20 ms late"""
    outage_ms: tuple[float, float] | None = None
    """when the plan's only fault began, and when its parts were back; both after START_NS"""
    backplane: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    """by server: (state, ms after START_NS). If empty, every server with a trace is subscribed from the start."""
    events: list[dict[str, Any]] = field(default_factory=list)
    clock_offsets_ns: dict[int, int] = field(default_factory=dict)
    """by server: how far its host's clock is ahead of the coordinator's. Other servers run on the coordinator."""
    clock_bounds_ns: dict[int, int] = field(default_factory=dict)
    """by server: the error bound of that offset. Without an entry the offset is not known."""
    clocks_found: bool = True
    """whether the recording has a clocks.json"""
    drained: str | None = "quiet"
    """how the drain ended: ``complete``, ``quiet`` or ``cut-off``; None if the recording does not say"""
    statuses: dict[int, int] = field(default_factory=dict)
    """HTTP statuses of answers that are not 200"""
    disk_stalled_share: float = 0.0
    took: dict[int, int] = field(default_factory=dict)
    """by message: the server that took it, if that is not the planned one"""
    incidents: list[Incident] = field(default_factory=list)
    """of the load worker"""
    silent_processes: set[str] = field(default_factory=set)
    """processes of the load generator that left no list of incidents"""

    @property
    def plan(self) -> Plan:
        rate = {"rate_hz": 100.0, "duration_s": max(len(self.posts), 1) / 100}
        values = {"clients": self.clients, "audience": self.audience, "servers": self.servers} | rate | self.changes
        return a_plan(**values)

    def post(
        self,
        channel: int = 0,
        *,
        to: list[int] | None = None,
        outcome: int = layout.ACKNOWLEDGED,
        stored: bool = True,
        seq: int | None = None,
        acknowledged_seq: int | None = None,
        latency_ms: float = 5,
        answered_ms: float = 3,
        committed_ms: float = 2,
        published_ms: float = 2.5,
        phase: int = MEASURED,
    ) -> int:
        """One message; returns its number. ``to`` defaults to its whole audience."""
        message = len(self.posts)
        if seq is None:
            seq = 1 + sum(post.channel == channel for post in self.posts)
        self.posts.append(
            _Post(
                channel=channel,
                phase=phase,
                outcome=outcome,
                seq=seq,
                acknowledged_seq=seq if acknowledged_seq is None else acknowledged_seq,
                stored=stored,
                answered_ns=self.due_ns(message) + int(answered_ms * MS),
                committed_ns=self.due_ns(message) + int(committed_ms * MS),
                published_ns=self.due_ns(message) + int(published_ms * MS),
            )
        )
        first = channel * self.audience
        for client in range(first, first + self.audience) if to is None else to:
            self.deliver(message, client, latency_ms=latency_ms)
        return message

    def deliver(
        self,
        message: int,
        client: int,
        *,
        latency_ms: float = 5,
        seq: int | None = None,
        channel: int | None = None,
        flaw: int = layout.SOUND,
    ) -> None:
        """One frame at one client, in order of the calls."""
        post = self.posts[message] if message >= 0 else None
        frame = (
            message,
            channel if channel is not None else post.channel if post else 0,
            seq if seq is not None else post.seq if post else 1,
            flaw,
        )
        if frame not in self.frames:
            self.frames.append(frame)
        at_ns = self.due_ns(max(message, 0)) + int(latency_ms * MS)
        self.deliveries.append((client, self.frames.index(frame), at_ns))

    def due_ns(self, message: int) -> int:
        return START_NS + message * 10 * MS

    def recording(self, folder: Path) -> Recording:
        plan, total = self.plan, len(self.posts)
        posts = np.zeros(total, layout.POST)
        for message, post in enumerate(self.posts):
            answered = post.outcome in (layout.ACKNOWLEDGED, layout.REJECTED)
            posts[message] = (
                *(
                    post.phase,
                    post.outcome,
                    self.took.get(message, message % self.servers),
                    post.channel,
                    self.statuses.get(message, 200) if answered else 0,
                ),
                post.acknowledged_seq if post.outcome == layout.ACKNOWLEDGED else 0,
                *(self.due_ns(message), self.due_ns(message) + MS if post.outcome else 0),
                post.answered_ns if answered else 0,
            )
        stored = sorted((post.channel, post.seq, message) for message, post in enumerate(self.posts) if post.stored)
        sessions = self.sessions or [(client, 0) for client in range(self.clients)]
        session_rows = [
            row
            if len(row) == 7
            else (row[0], row[0] % self.servers, 1000, BEFORE_NS[0], self._subscribed_ns(*row), row[1], AFTER_NS)
            for row in sessions
        ]
        return Recording(
            folder=folder,
            plan=plan,
            machine={"limits": {"cores": 2}, "cluster": {"versions": {}}},
            clocks=self._clocks() if self.clocks_found else None,
            events=(
                {"event": "probe", "at_ns": 1, "expected": self.clients, "seen": self.clients},
                {"event": "schedule", "at_ns": 2, "start_ns": START_NS},
                {"event": "answering", "at_ns": 3, "servers": {f"server-{n + 1}": "" for n in range(self.servers)}},
                {"event": "ended", "at_ns": 3, "how": self.ended, "why": ""},
                *self._drained(plan),
                *self._outage(),
                *self.events,
            ),
            telemetry=telemetry(plan, self.disk_stalled_share),
            posts=posts,
            seen={
                0: Seen(
                    deliveries=np.array(self.deliveries, layout.DELIVERY),
                    frames=np.array(self.frames, layout.FRAME),
                    sessions=np.array(session_rows, layout.SESSION),
                )
            },
            incidents={
                name: found
                for name, found in (("worker-00", tuple(self.incidents)), ("publisher", ()))
                if name not in self.silent_processes
            },
            heartbeats={name: heartbeats(plan) for name in ("worker-00", "publisher")},
            accepted=self._accepted() if self.traced else {},
            delivered=self._delivered() if self.traced else {},
            backplane={
                server: np.array(
                    [
                        (state, START_NS + int(at_ms * MS) + self.clock_offsets_ns.get(server, 0))
                        for state, at_ms in rows
                    ],
                    layout.BACKPLANE,
                )
                for server, rows in self._states().items()
            },
            stored=np.array([(m, c, s, layout.SOUND) for c, s, m in stored], layout.STORED) if self.audited else None,
        )

    def _states(self) -> dict[int, list[tuple[int, float]]]:
        if self.backplane:
            return self.backplane
        return {server: [(layout.SUBSCRIBED, -4.0)] for server in range(self.servers)} if self.traced else {}

    def _subscribed_ns(self, client: int, position: int) -> int:
        """A time before everything. If the channel has a message with the seq ``position``, a time right after that
        message was sent."""
        seqs = {post.seq: message for message, post in enumerate(self.posts) if post.channel == client // self.audience}
        return self.due_ns(seqs[position]) + 2 * MS if position in seqs else BEFORE_NS[1]

    def drained_ns(self) -> int:
        """When the drain ended."""
        return drained_ns(self.plan)

    def _drained(self, plan: Plan) -> list[dict[str, Any]]:
        if self.drained is None:
            return []
        quiet = self.drained == "quiet"
        ending = {"how": self.drained, "quiet_s": QUIET_S if quiet else 0.5, "deliveries_hz": 0.0 if quiet else 1000.0}
        return [{"event": "drained", "at_ns": drained_ns(plan), **ending, "unsubscribed": 0}]

    def _outage(self) -> list[dict[str, Any]]:
        if self.outage_ms is None:
            return []
        begun, back = (START_NS + int(ms * MS) for ms in self.outage_ms)
        times = {"fault": begun, "fault-done": begun + 1, "heal": back - 1, "heal-done": back}
        return [{"event": word, "fault": 0, "what": "break it", "at_ns": at_ns} for word, at_ns in times.items()]

    def _clocks(self) -> Clocks:
        """One kernel with bound 0. Only the servers in ``clock_offsets_ns`` have a clock of their own."""
        hosts = {
            server: HostClock(
                host=f"host-of-server-{server + 1}",
                offset_ns=-ahead_ns if server in self.clock_bounds_ns else None,
                bound_ns=self.clock_bounds_ns.get(server),
                found="written by hand",
            )
            for server, ahead_ns in self.clock_offsets_ns.items()
        }
        here = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found="written by hand")
        servers = {server: hosts.get(server, here) for server in range(self.servers)}
        return clocks_of(workers=1, servers=servers, found="written by hand")

    def _accepted(self) -> dict[int, Any]:
        rows: dict[int, list[Any]] = {server: [] for server in range(self.servers)}
        for message, post in enumerate(self.posts):
            server = message % self.servers
            ahead_ns = self.clock_offsets_ns.get(server, 0)
            published = 0 if message in self.unpublished else post.published_ns + ahead_ns
            times = (self.due_ns(message) + MS + ahead_ns, post.committed_ns + ahead_ns, published)
            rows[server].append((post.channel, post.seq, *times))
        return {server: np.array(found, layout.ACCEPTED) for server, found in rows.items()}

    def _delivered(self) -> dict[int, Any]:
        """The traces of deliveries. Each server reports all its clients of the channel, unless ``silent`` holds the
        pair."""
        rows: dict[int, list[Any]] = {server: [] for server in range(self.servers)}
        for message, post in enumerate(self.posts):
            members = range(post.channel * self.audience, (post.channel + 1) * self.audience)
            for server in range(self.servers):
                sockets = sum(client % self.servers == server for client in members)
                if sockets and (server, message) not in self.silent and message not in self.unpublished:
                    recovered = message in self.recovered
                    at_ns = post.published_ns + (20 * MS if recovered else MS // 2)
                    at_ns += self.clock_offsets_ns.get(server, 0)
                    rows[server].append((post.channel, post.seq, at_ns, at_ns + 1000, sockets, recovered))
        return {server: np.array(found, layout.DELIVERED) for server, found in rows.items()}

    def verdict(self, folder: Path) -> Verdict:
        """The verdict over this recording, with the hand-made messages as its schedule."""
        made = Schedule(
            phase=np.array([post.phase for post in self.posts], np.uint8),
            channel=np.array([post.channel for post in self.posts], np.uint32),
            server=(np.arange(len(self.posts)) % self.servers).astype(np.uint16),
            offset_ns=np.arange(len(self.posts)) * 10 * MS,
        )
        with mock.patch("harness.checks.evidence.evidence.schedule", return_value=made):
            return judge(self.recording(folder))


def red(verdict: Verdict) -> set[str]:
    """The checks that failed."""
    return {finding.check for finding in verdict.findings if finding.status == "fail"}


def measured(verdict: Verdict) -> RunMeasurements:
    """The measurements of a run's verdict."""
    assert verdict.run is not None
    return verdict.run


def finding(verdict: Verdict, check: str) -> Finding:
    return next(found for found in verdict.findings if found.check == check)


def replaced(plan: Plan, **changes: Any) -> Plan:
    return dataclasses.replace(plan, **changes)
