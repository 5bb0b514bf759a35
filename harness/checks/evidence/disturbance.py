"""The injected faults with their real times, and the deliveries that they or other interruptions disturbed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.host_clocks import HostClocks
from harness.checks.evidence.sessions import NEVER, Sessions
from harness.model.fault import LINK_TARGETS, Ending, Fault, FaultKind, FaultTimes, Target
from harness.model.link import ends
from harness.recording.format import ACKNOWLEDGED, SUBSCRIBED, Document
from harness.recording.reader import Recording

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAD_NS = 1_000_000_000
"""A message that was posted so shortly before a fault may have been on its way when the fault began."""
LATE_NS = 1_000_000_000
"""How long after the last sign of recovery deliveries may still come late because of the fault."""


def timed_faults(recording: Recording) -> tuple[Fault, ...]:
    """The plan's faults in order, with the times that the events give."""
    events: dict[tuple[str, int], Document] = {}
    for event in recording.events:
        if "fault" in event:
            events[str(event["event"]), int(event["fault"])] = event

    def at_ns(word: str, number: int) -> int | None:
        event = events.get((word, number))
        return None if event is None else int(event["at_ns"])

    return tuple(
        fault
        if (begun_ns := at_ns("fault", number)) is None
        else replace(
            fault,
            times=FaultTimes(
                begun_ns=begun_ns,
                done_ns=at_ns("fault-done", number),
                heal_ns=at_ns("heal", number),
                back_ns=at_ns("heal-done", number),
                endings=_endings(events.get(("fault-done", number), {})),
            ),
        )
        for number, fault in enumerate(recording.plan.faults)
    )


def _endings(done: Document) -> tuple[Ending, ...]:
    seen = done.get("seen") or {}
    return tuple(Ending(part=part, how=str(values["ended"])) for part, values in seen.items() if "ended" in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The span of one fault that was begun. ``back_ns`` is `NEVER` if the broken parts never answered again."""

    fault: Fault
    begun_ns: int
    back_ns: int

    @property
    def over_ns(self) -> int:
        """When no message waits for the broken part any more. After a partition that is later: TCP doubles its wait
        with every attempt (RFC 6298), so a connection that lived through it may stay silent for as long again.
        """
        if self.back_ns == NEVER or self.fault.kind is not FaultKind.PARTITION:
            return self.back_ns
        return self.back_ns + self.back_ns - self.begun_ns


def outages(faults: Sequence[Fault]) -> list[Outage]:
    """Of the faults that were begun."""
    return [
        Outage(fault=fault, begun_ns=times.begun_ns, back_ns=NEVER if times.back_ns is None else times.back_ns)
        for fault in faults
        if (times := fault.times) is not None
    ]


def broken_servers(faults: Sequence[Fault]) -> list[int]:
    """Indices of the servers that faults hit."""
    return sorted(
        _index(part) for fault in faults if fault.target in (Target.SERVER, Target.SERVERS) for part in fault.parts
    )


def unlinked_servers(faults: Sequence[Fault]) -> set[int]:
    """Indices of the servers that have a broken link at their end."""
    return {
        _index(part) for fault in faults for link in _broken_links(fault) for part in ends(link) if _is_server(part)
    }


def _broken_links(fault: Fault) -> tuple[str, ...]:
    return fault.parts if fault.target in LINK_TARGETS else ()


def _is_server(part: str) -> bool:
    return part.startswith("server-")


def _index(server: str) -> int:
    return int(server.removeprefix("server-")) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """Which deliveries a fault, planned or not, disturbed. All others must be as fast as without a fault.

    A delivery is disturbed for one of four reasons, each limited in time. The server read the message from the database
    instead of from the backplane (``recovered``), and the message was due between a second before the fault and a second
    after the last sign of recovery (``window``). Or it was due while its client had no connection or did not read
    (``away_from`` to ``away_until``). Or it was due while the broken component held it up (``held_up``). Or it had to pass
    a link that was broken when it was due (``cut_off``). So a server that always reads from the database hides nothing
    here.
    """

    intended_ns: Ints
    window: Bools
    held_up: Bools
    away_from: Ints
    """by client, in ns; later than ``away_until`` for one that was never away"""
    away_until: Ints
    recovered: Bools | None
    """shape (servers, messages); None without traces"""
    cut_off: Bools | None = None
    """shape (servers, messages): a broken link kept the message from the server; None where no link was broken"""

    def of(self, message: Ints, client: Ints, server: Ints) -> Bools:
        """Which of these deliveries are disturbed."""
        due = self.intended_ns[message]
        found: Bools = self.held_up[message] | ((due >= self.away_from[client]) & (due <= self.away_until[client]))
        if self.recovered is not None:
            found |= self.window[message] & self.recovered[server, message]
        if self.cut_off is not None:
            found |= self.cut_off[server, message]
        return found


def disturbance(
    recording: Recording,
    clocks: HostClocks,
    begun: Sequence[Outage],
    *,
    interrupted: Bools | None,
    sessions: Sessions,
    client_server: Ints,
    intended_ns: Ints,
    meant_for: NDArray[np.uint16],
    recovered: Bools | None,
) -> Disturbance | None:
    """None if no fault was begun and nothing else was interrupted.

    ``interrupted``: messages that were due around an interruption that no fault explains, None for no such
    interruption. ``meant_for`` is the server that the schedule chose for each message.
    """
    if not begun and interrupted is None:
        return None
    window = np.zeros(len(intended_ns), np.bool_) if interrupted is None else interrupted
    if begun:
        low = min(outage.begun_ns for outage in begun) - LEAD_NS
        window = window | ((intended_ns >= low) & (intended_ns <= _calm_again_ns(recording, clocks, begun, sessions)))
    held_up = np.zeros(len(intended_ns), np.bool_)
    for outage in begun:
        held_up |= _held_up(recording, outage, intended_ns, meant_for, traced=recovered is not None)
    away_from, away_until = _away(recording, begun, sessions, client_server)
    return Disturbance(
        intended_ns=intended_ns,
        window=window,
        held_up=held_up,
        away_from=away_from,
        away_until=away_until,
        recovered=recovered,
        cut_off=_cut_off(recording, begun, intended_ns, meant_for),
    )


def _cut_off(
    recording: Recording, begun: Sequence[Outage], intended_ns: Ints, meant_for: NDArray[np.uint16]
) -> Bools | None:
    """Which messages had to pass a broken link on their way to a server: to the server at its end all of them where the
    other end is the broker or the database, and those that the other end accepted where that is a server."""
    found = np.zeros((recording.plan.servers, len(intended_ns)), np.bool_)
    for outage in begun:
        due = (intended_ns >= outage.begun_ns - LEAD_NS) & (intended_ns <= outage.over_ns)
        for link in _broken_links(outage.fault):
            for here, there in (ends(link), ends(link)[::-1]):
                if _is_server(here):
                    found[_index(here)] |= due & _sent_from(recording, there, meant_for)
    return found if any(_broken_links(outage.fault) for outage in begun) else None


def _sent_from(recording: Recording, part: str, meant_for: NDArray[np.uint16]) -> Bools:
    """Which messages come from that end of a link."""
    if not _is_server(part):
        return np.ones(len(meant_for), np.bool_)
    found: Bools = meant_for == _index(part)
    return found | (recording.posts["server"] == _index(part)) if len(recording.posts) == len(found) else found


def _held_up(
    recording: Recording, outage: Outage, intended_ns: Ints, meant_for: NDArray[np.uint16], *, traced: bool
) -> Bools:
    """Messages that this outage held up for all clients: because the database was away, the server that accepts them
    was away, or no re-broadcast had been requested yet."""
    target = outage.fault.target
    end_ns = outage.over_ns
    if target is Target.DATABASE and outage.back_ns != NEVER:
        end_ns = max(end_ns, _served_again_ns(recording, outage.back_ns))
    asked = recording.event("rebroadcast-done")
    if recording.plan.recovery == "manual" and asked is not None:
        end_ns = max(end_ns, int(asked["at_ns"]))
    due: Bools = (intended_ns >= outage.begun_ns - LEAD_NS) & (intended_ns <= end_ns)
    if target is Target.DATABASE or recording.plan.recovery == "manual" or (target is Target.BROKER and not traced):
        return due
    if len(recording.posts) != len(due):
        return np.zeros(len(due), np.bool_)
    # A message for a broken server also waited until the sender chose another server.
    broken = broken_servers((outage.fault,))
    return due & (np.isin(recording.posts["server"], broken) | np.isin(meant_for, broken))


def _served_again_ns(recording: Recording, back_ns: int) -> int:
    """When every server had acknowledged a post again after the database was back. Each server notices it by itself."""
    posts = recording.posts
    after = posts[(posts["outcome"] == ACKNOWLEDGED) & (posts["answered_ns"] >= back_ns)]
    first = np.full(recording.plan.servers, back_ns)
    for server in range(len(first)):
        first[server] = after["answered_ns"][after["server"] == server].min(initial=NEVER)
    first[first == NEVER] = back_ns
    return int(first.max())


def _away(recording: Recording, found: Sequence[Outage], sessions: Sessions, client_server: Ints) -> tuple[Ints, Ints]:
    """(from, until) of each client, in ns: it had no connection, was on a broken server, or did not read."""
    plan = recording.plan
    begin = np.full(plan.clients, NEVER)
    end = np.zeros(plan.clients, np.int64)
    for outage in found:
        mine = np.isin(client_server, broken_servers((outage.fault,)))
        if outage.fault.target is Target.CLIENTS:
            mine[[int(part.removeprefix("client-")) for part in outage.fault.parts]] = True
        begin[mine] = np.minimum(begin[mine], outage.begun_ns - LEAD_NS)
        end[mine] = np.maximum(end[mine], outage.over_ns)
    # Of a client with more connections: from the end of its first to the beginning of its last.
    earlier = np.flatnonzero(~sessions.last)
    np.minimum.at(begin, sessions.client[earlier], sessions.ended_ns[earlier] - LEAD_NS)
    np.maximum.at(end, sessions.client[earlier + 1], sessions.subscribed_ns[earlier + 1])
    return begin, end


def _calm_again_ns(recording: Recording, clocks: HostClocks, found: Sequence[Outage], sessions: Sessions) -> int:
    """A second after the last sign of recovery; `NEVER` if a fault was not healed. A server whose clock cannot be
    compared with the harness's gives no sign."""
    if any(outage.back_ns == NEVER for outage in found):
        return NEVER
    signs = [outage.over_ns for outage in found]
    for server, rows in recording.backplane.items():
        host = clocks.of_file(f"backplane-{server:02}")
        if clocks.comparable(host, clocks.coordinator):
            subscribed_ns = rows["at_ns"][rows["state"] == SUBSCRIBED]
            at_ns = clocks.elapsed_ns(np.zeros(1, np.int64), clocks.coordinator, subscribed_ns, host)
            signs.append(int(at_ns.high.max(initial=0)))
    signs.append(int(sessions.subscribed_ns.max(initial=0)))
    return max(signs) + LATE_NS
