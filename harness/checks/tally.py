"""One pass over every delivery: each is matched with its post, counted, timed. Everything else works on the result.

The rows stay on disk and are read a piece at a time; what grows with a run are one byte per expected (message, client) pair
and the measured latencies.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence import Evidence, Ints
from harness.planning.arrivals import MEASURED
from harness.planning.placement import client_workers
from harness.recording.format import ALTERED, FOREIGN, REJECTED, UNSENT
from harness.recording.reader import Seen

CHUNK_ROWS = 1 << 20
EXAMPLES = 20


@dataclass(slots=True, kw_only=True)
class Tally:
    """What all clients received together.

    ``count``: deliveries of each pair, saturating at 255. ``highest_seq``: newest seq of each client, 0 for none.
    ``last_ns``: newest receipt of each message. Counters are by phase, phantoms also by what is wrong with them.
    """

    count: NDArray[np.uint8]
    highest_seq: Ints
    last_ns: Ints
    rows: int = 0
    duplicates_wire: Counter[int] = field(default_factory=Counter)
    duplicates_visible: Counter[int] = field(default_factory=Counter)
    out_of_order: Counter[int] = field(default_factory=Counter)
    phantom: Counter[int] = field(default_factory=Counter)
    phantom_kinds: Counter[str] = field(default_factory=Counter)
    misnumbered: int = 0
    """deliveries under another seq than the acknowledged one"""
    examples: dict[str, list[str]] = field(default_factory=dict)
    latency_ns: Ints
    """of measured deliveries, each pair's first"""
    second: Ints
    """the second of the measured window in which each of these was due"""
    client: Ints
    """who received each of these"""
    push_ns: Ints
    """from the server's receipt to the client's, of those whose server traced it"""
    disturbed: NDArray[np.bool_]
    """which of the timed deliveries a fault stood in the way of (`outages.Disturbance`)"""
    disturbed_last_ns: int = 0
    """when the last of these was received"""

    def example(self, check: str, text: str) -> None:
        listed = self.examples.setdefault(check, [])
        if len(listed) < EXAMPLES:
            listed.append(text)


def tally(evidence: Evidence) -> Tally:
    """Count everything. Deliveries that are whole and expected are matched by message, not by seq, so that a server which
    numbers wrongly is still counted right."""
    plan = evidence.plan
    found = Tally(
        count=np.zeros(evidence.pairs, np.uint8),
        highest_seq=np.zeros(plan.clients, np.int64),
        last_ns=np.zeros(len(evidence.schedule), np.int64),
        latency_ns=np.empty(0, np.int64),
        second=np.empty(0, np.int64),
        client=np.empty(0, np.int64),
        push_ns=np.empty(0, np.int64),
        disturbed=np.empty(0, np.bool_),
    )
    parts: list[_Timed] = []
    workers = client_workers(plan)
    strange_seqs: list[tuple[int, int, int]] = []
    for worker, seen in sorted(evidence.recording.seen.items()):
        local = np.zeros(plan.clients, np.uint16)
        mine = np.flatnonzero(workers == worker)
        local[mine] = np.arange(len(mine))
        for rows in _chunks(seen):
            found.rows += len(rows)
            piece = _match(evidence, found, seen, rows)
            strange_seqs += _odd_numbers(evidence, piece)
            first = _count(found, evidence, piece)
            _follow_order(found, evidence, piece, first, local)
            np.maximum.at(found.last_ns, piece.message, piece.received_ns)
            parts.append(_time(found, evidence, piece, first))
    _judge_numbers(found, evidence, strange_seqs)
    if parts:
        found.latency_ns, found.second, found.client, found.push_ns, found.disturbed = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
    return found


_Timed = tuple[Ints, Ints, Ints, Ints, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Deliveries that are what was posted, to whom it was meant, in order of arrival."""

    client: Ints
    message: Ints
    seq: Ints
    received_ns: Ints
    pair: Ints

    def __len__(self) -> int:
        return len(self.client)


def _chunks(seen: Seen) -> Iterator[NDArray[np.void]]:
    for start in range(0, len(seen.deliveries), CHUNK_ROWS):
        yield np.asarray(seen.deliveries[start : start + CHUNK_ROWS])


def _match(evidence: Evidence, found: Tally, seen: Seen, rows: NDArray[np.void]) -> _Piece:
    """Put the phantoms aside, number the pairs of the rest."""
    known = (rows["sighting"] < len(seen.sightings)) & (rows["client"] < evidence.plan.clients)
    # A worker that was killed between two files may have written deliveries whose sighting never came to disk.
    rows = rows[known]
    which = rows["sighting"]
    table = seen.sightings
    message = table["message"].astype(np.int64)[which]
    channel = table["channel"].astype(np.int64)[which]
    seq = table["seq"].astype(np.int64)[which]
    flaw = table["flaw"][which]
    client = rows["client"].astype(np.int64)
    safe = np.maximum(message, 0)
    outcome = evidence.outcome[safe]
    kinds = {
        "not of this run": (flaw == FOREIGN) | (message < 0),
        "altered text": flaw == ALTERED,
        "under another channel's name": channel != evidence.channel[safe],
        "to a client that is not subscribed": evidence.client_channel[client] != evidence.channel[safe],
        "of a post that was rejected": outcome == REJECTED,
        "of a post that was not sent": outcome == UNSENT,
    }
    phantom = np.zeros(len(rows), np.bool_)
    for kind, wrong in kinds.items():
        fresh = wrong & ~phantom
        phantom |= wrong
        if fresh.any():
            _note_phantoms(found, evidence, kind, client[fresh], message[fresh], seq[fresh])
    keep = ~phantom
    client, message, seq = client[keep], message[keep], seq[keep]
    return _Piece(
        client=client,
        message=message,
        seq=seq,
        received_ns=rows["received_ns"][keep],
        pair=evidence.base[message] + client - evidence.first_client[evidence.channel[message]],
    )


def _note_phantoms(found: Tally, evidence: Evidence, kind: str, client: Ints, message: Ints, seq: Ints) -> None:
    found.phantom_kinds[kind] += len(client)
    phases = np.where(message >= 0, evidence.schedule.phase[np.maximum(message, 0)], MEASURED)
    found.phantom.update(phases.tolist())
    for index in range(min(len(client), EXAMPLES)):
        found.example("phantom", f"client {client[index]}: message {message[index]} (seq {seq[index]}), {kind}")


def _count(found: Tally, evidence: Evidence, piece: _Piece) -> NDArray[np.bool_]:
    """Count the pairs; which rows are their pair's first."""
    first = np.ones(len(piece), np.bool_)
    if not len(piece):
        return first
    low = int(piece.pair.min())
    window = found.count[low : int(piece.pair.max()) + 1]
    if len(window) > 64 * CHUNK_ROWS:
        # A delivery far from its time (a resumed client): sorting costs less than a window over everything.
        pairs, added = np.unique(piece.pair, return_counts=True)
        repeated = (found.count[pairs] + added > 1).any()
    else:
        pairs, added = np.arange(len(window)) + low, np.bincount(piece.pair - low, minlength=len(window))
        repeated = (window + added > 1).any()
    if repeated:
        _, at = np.unique(piece.pair, return_index=True)
        first[:] = False
        first[at] = found.count[piece.pair[at]] == 0
    found.count[pairs] = np.minimum(found.count[pairs] + added, 255).astype(np.uint8)
    for index in np.flatnonzero(~first):
        message = int(piece.message[index])
        found.duplicates_wire[int(evidence.schedule.phase[message])] += 1
        found.example(
            "duplicate-wire", f"client {piece.client[index]}: message {message} (seq {piece.seq[index]}) again"
        )
    return first


def _odd_numbers(evidence: Evidence, piece: _Piece) -> list[tuple[int, int, int]]:
    """(pair, message, seq) of deliveries under another seq than their message's: none, where the server is sound."""
    expected = evidence.seq[piece.message]
    odd = np.flatnonzero((expected > 0) & (piece.seq != expected))[: 1 << 16]
    return [(int(piece.pair[i]), int(piece.message[i]), int(piece.seq[i])) for i in odd]


def _judge_numbers(found: Tally, evidence: Evidence, strange: list[tuple[int, int, int]]) -> None:
    """A pair that came under two seqs passes every client's check by (channel, seq): the user sees the message twice."""
    found.misnumbered = len(strange)
    odd_rows = Counter(pair for pair, _, _ in strange)
    for pair, message, seq in sorted(set(strange)):
        under_own_seq = int(found.count[pair]) > odd_rows[pair]
        if not under_own_seq and odd_rows[pair] < 2:
            continue  # wrongly numbered, but once
        phase = int(evidence.schedule.phase[message])
        found.duplicates_visible[phase] += 1
        if found.duplicates_wire[phase]:
            found.duplicates_wire[phase] -= 1  # it was counted there, by message; by (channel, seq) it is none
        client = pair - int(evidence.base[message]) + int(evidence.first_client[evidence.channel[message]])
        found.example(
            "duplicate-visible", f"client {client}: message {message} under seq {seq} and seq {evidence.seq[message]}"
        )


def _follow_order(
    found: Tally, evidence: Evidence, piece: _Piece, first: NDArray[np.bool_], local: NDArray[np.uint16]
) -> None:
    """After dropping repetitions, each client's seqs must rise."""
    client, seq, message = piece.client[first], piece.seq[first], piece.message[first]
    if not len(client):
        return
    # A worker has at most 65,536 clients: numbers of 16 bits sort by radix, ten times as fast.
    order = np.argsort(local[client], kind="stable")
    client, seq, message = client[order], seq[order], message[order]
    starts = np.flatnonzero(np.r_[True, client[1:] != client[:-1]])
    previous = np.r_[0, seq[:-1]]
    previous[starts] = found.highest_seq[client[starts]]
    highest = np.maximum.reduceat(seq, starts)
    falls = np.flatnonzero(seq < previous)
    for index in falls:
        found.out_of_order[int(evidence.schedule.phase[message[index]])] += 1
        found.example("order", f"client {client[index]}: seq {seq[index]} after seq {previous[index]}")
    found.highest_seq[client[starts]] = np.maximum(found.highest_seq[client[starts]], highest)


def _time(found: Tally, evidence: Evidence, piece: _Piece, first: NDArray[np.bool_]) -> _Timed:
    """(latency, second, client, push, disturbed) of the measured deliveries in this piece."""
    keep = first & (evidence.schedule.phase[piece.message] == MEASURED)
    message, client, received = piece.message[keep], piece.client[keep], piece.received_ns[keep]
    window_ns = evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)
    second = np.maximum((evidence.intended_ns[message] - window_ns) // 1_000_000_000, 0)
    push = np.empty(0, np.int64)
    if evidence.trace is not None and evidence.one_clock:
        at_server = evidence.trace.received[evidence.client_server[client], message]
        push = (received - at_server)[(at_server > 0) & ~evidence.reconnected[client]]
    disturbed = np.zeros(len(message), np.bool_)
    if evidence.disturbance is not None:
        disturbed = evidence.disturbance.of(message, client, evidence.client_server[client])
        found.disturbed_last_ns = max(found.disturbed_last_ns, int(received[disturbed].max(initial=0)))
    return received - evidence.intended_ns[message], second, client, push, disturbed
