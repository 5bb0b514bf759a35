"""What was broken on purpose, when it really was, and which deliveries stood in its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.fault import Fault, FaultKind, Target
from harness.planning.placement import client_servers
from harness.recording.format import ACKNOWLEDGED, SUBSCRIBED
from harness.recording.reader import Recording

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAD_NS = 1_000_000_000
"""What was posted so shortly before a fault may have been on its way when it struck."""
SETTLE_NS = 1_000_000_000
"""How long after the last sign of recovery deliveries may still come late because of it."""
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One fault as it happened; times in ns, 0 for what never came.

    From ``begun_ns`` it was being done, at ``done_ns`` it was; from ``heal_ns`` it was being healed, at ``back_ns`` the
    broken parts answered again. ``seen`` and ``seen_back`` are what the environment saw of each part.
    """

    fault: Fault
    begun_ns: int
    done_ns: int
    heal_ns: int
    back_ns: int
    what: str
    seen: dict[str, Any]
    seen_back: dict[str, Any]

    @property
    def over_ns(self) -> int:
        """When nothing waits for the broken part any more; `NEVER` where it never came back.

        After a partition that is later: TCP doubles its wait with every attempt (RFC 6298), so a connection that lived
        through it may stay silent for as long again.
        """
        if not self.back_ns:
            return int(NEVER)
        return self.back_ns + (self.back_ns - self.begun_ns if self.fault.kind is FaultKind.PARTITION else 0)


def outages(recording: Recording) -> tuple[Outage, ...]:
    """The plan's faults in order, joined with the events that tell of them."""
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for event in recording.events:
        if "fault" in event:
            told[str(event["event"]), int(event["fault"])] = event

    def at(word: str, number: int) -> int:
        return int(told.get((word, number), {}).get("at_ns", 0))

    return tuple(
        Outage(
            fault=fault,
            begun_ns=at("fault", number),
            done_ns=at("fault-done", number),
            heal_ns=at("heal", number),
            back_ns=at("heal-done", number),
            what=str(told.get(("fault", number), {}).get("what", fault)),
            seen=dict(told.get(("fault-done", number), {}).get("seen") or {}),
            seen_back=dict(told.get(("heal-done", number), {}).get("seen") or {}),
        )
        for number, fault in enumerate(recording.plan.faults)
    )


def broken_servers(faults: Sequence[Fault]) -> list[int]:
    """Indices of the servers that faults hit."""
    return sorted(
        int(part.removeprefix("server-")) - 1
        for fault in faults
        if fault.target in (Target.SERVER, Target.SERVERS)
        for part in fault.parts
    )


def reconnected_clients(recording: Recording) -> Bools:
    """Which clients had more than one connection, shape (clients,)."""
    connections = np.zeros(recording.plan.clients, np.int64)
    for seen in recording.seen.values():
        connections += np.bincount(seen.sessions["client"], minlength=recording.plan.clients)
    found: Bools = connections > 1
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """Which deliveries a fault stood in the way of: the others must be as fast as ever.

    There must be a reason, with its time: the message was read from the database instead of coming over the backplane
    (``recovered``), and was due between a second before the fault and a second after the last sign of recovery
    (``window``); or it was due while its client had no connection or did not read (``away_from`` to ``away_until``); or
    while whatever was broken held it up (``held_up``). So a server that reads everything from the database all the time
    hides nothing here.
    """

    intended_ns: Ints
    window: Bools
    held_up: Bools
    away_from: Ints
    """by client, in ns; later than ``away_until`` for one that was never away"""
    away_until: Ints
    recovered: Bools | None
    """shape (servers, messages); None without traces"""

    def of(self, message: Ints, client: Ints, server: Ints) -> Bools:
        """Which of these deliveries are disturbed."""
        due = self.intended_ns[message]
        found: Bools = self.held_up[message] | ((due >= self.away_from[client]) & (due <= self.away_until[client]))
        if self.recovered is not None:
            found |= self.window[message] & self.recovered[server, message]
        return found


def disturbance(
    recording: Recording,
    found: Sequence[Outage],
    intended_ns: Ints,
    meant_for: NDArray[np.uint16],
    recovered: Bools | None,
) -> Disturbance | None:
    """None for a run without faults. ``meant_for`` is the server that the schedule chose for each message."""
    begun = [outage for outage in found if outage.begun_ns]
    if not begun:
        return None
    low = min(outage.begun_ns for outage in begun) - LEAD_NS
    window = (intended_ns >= low) & (intended_ns <= settled_ns(recording, begun))
    held_up = np.zeros(len(intended_ns), np.bool_)
    for outage in begun:
        held_up |= _held_up(recording, outage, intended_ns, meant_for, traced=recovered is not None)
    away_from, away_until = _away(recording, begun)
    return Disturbance(
        intended_ns=intended_ns,
        window=window,
        held_up=held_up,
        away_from=away_from,
        away_until=away_until,
        recovered=recovered,
    )


def _held_up(
    recording: Recording, outage: Outage, intended_ns: Ints, meant_for: NDArray[np.uint16], *, traced: bool
) -> Bools:
    """Messages that this outage held up whoever they went to: for want of the database, of the server that took them, or
    of somebody who asks for them."""
    target = outage.fault.target
    end_ns = outage.over_ns
    if target is Target.DATABASE and outage.back_ns:
        end_ns = max(end_ns, _served_again_ns(recording, outage.back_ns))
    asked = recording.event("rebroadcast-done")
    if recording.plan.recovery == "manual" and asked is not None:
        end_ns = max(end_ns, int(asked["at_ns"]))
    due: Bools = (intended_ns >= outage.begun_ns - LEAD_NS) & (intended_ns <= end_ns)
    if target is Target.DATABASE or recording.plan.recovery == "manual" or (target is Target.BROKER and not traced):
        return due
    if len(recording.posts) != len(due):
        return np.zeros(len(due), np.bool_)
    # Also what was meant for a broken server and waited until it was clear that another had to take it.
    broken = broken_servers((outage.fault,))
    return due & (np.isin(recording.posts["server"], broken) | np.isin(meant_for, broken))


def _served_again_ns(recording: Recording, back_ns: int) -> int:
    """When every server had acknowledged a post again after PostgreSQL was back, which each has to notice first."""
    posts = recording.posts
    after = posts[(posts["outcome"] == ACKNOWLEDGED) & (posts["answered_ns"] >= back_ns)]
    first = np.full(recording.plan.servers, back_ns)
    for server in range(len(first)):
        first[server] = after["answered_ns"][after["server"] == server].min(initial=NEVER)
    first[first == NEVER] = back_ns
    return int(first.max())


def _away(recording: Recording, found: Sequence[Outage]) -> tuple[Ints, Ints]:
    """(from, until) of each client, in ns: without a connection, on a server that is broken, or not reading."""
    plan = recording.plan
    begin = np.full(plan.clients, NEVER)
    end = np.zeros(plan.clients, np.int64)
    for outage in found:
        mine = np.isin(client_servers(plan), broken_servers((outage.fault,)))
        if outage.fault.target is Target.CLIENTS:
            mine[[int(part.removeprefix("client-")) for part in outage.fault.parts]] = True
        begin[mine] = np.minimum(begin[mine], outage.begun_ns - LEAD_NS)
        end[mine] = np.maximum(end[mine], outage.over_ns)
    for seen in recording.seen.values():
        # Of a client with more connections: from the end of its first to the beginning of its last.
        sessions = seen.sessions
        order = np.lexsort((sessions["ended_ns"], sessions["client"]))
        ordered = sessions[order]
        again = np.flatnonzero(ordered["client"][1:] == ordered["client"][:-1]) + 1
        np.minimum.at(begin, ordered["client"][again - 1], ordered["ended_ns"][again - 1] - LEAD_NS)
        np.maximum.at(end, ordered["client"][again], ordered["subscribed_ns"][again])
    return begin, end


def settled_ns(recording: Recording, found: Sequence[Outage]) -> int:
    """When the last sign of recovery was seen, and a second more; `NEVER` where something was not healed."""
    if any(not outage.back_ns for outage in found):
        return int(NEVER)
    signs = [outage.over_ns for outage in found]
    signs += [int(rows["at_ns"][rows["state"] == SUBSCRIBED].max(initial=0)) for rows in recording.backplane.values()]
    signs += [int(seen.sessions["subscribed_ns"].max(initial=0)) for seen in recording.seen.values()]
    return max(signs) + SETTLE_NS
