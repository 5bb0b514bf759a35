"""One pass over every delivery: each is matched with its post, counted, timed. Everything else works on the result.

The rows stay on disk and are read a piece at a time; what grows in memory with a run is one byte per expected (message,
client) pair.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import Bools, Evidence, Ints
from harness.checks.evidence.repetitions import Repetitions
from harness.checks.evidence.timings import Timings
from harness.checks.statistics.distribution import PIECE_ROWS
from harness.planning.arrivals import MEASURED
from harness.planning.placement import client_workers
from harness.recording.format import ALTERED, FOREIGN, REJECTED, UNSENT, UNVERIFIED
from harness.recording.reader import Seen

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
    unseen: Bools
    """clients whose load worker left no rows, or not all: what they did not receive is not known"""
    duplicates_wire: Counter[int] = field(default_factory=Counter)
    resumed_again: Counter[int] = field(default_factory=Counter)
    """those of ``duplicates_wire`` that a reconnection of their client allows"""
    duplicates_visible: Counter[int] = field(default_factory=Counter)
    out_of_order: Counter[int] = field(default_factory=Counter)
    phantom: Counter[int] = field(default_factory=Counter)
    phantom_kinds: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    """deliveries whose frame or client is not known: a worker that was killed may leave them"""
    misnumbered: int = 0
    """deliveries under another seq than the acknowledged one"""
    examples: dict[str, list[str]] = field(default_factory=dict)
    timings: Timings
    """of measured deliveries, each pair's first"""
    disturbed_last_ns: int = 0
    """when the last delivery was received that a fault disturbed"""

    def example(self, check: str, text: str) -> None:
        listed = self.examples.setdefault(check, [])
        if len(listed) < EXAMPLES:
            listed.append(text)


def tally(evidence: Evidence, attempts: Attempts | None = None) -> Tally:
    """Count everything. Deliveries that are whole and expected are matched by message, not by seq, so that a server which
    numbers wrongly is still counted right. ``attempts`` keeps the load workers whose rows cannot be read."""
    attempts = attempts or Attempts()
    plan = evidence.plan
    workers = client_workers(plan)
    found = Tally(
        count=np.zeros(evidence.pairs, np.uint8),
        highest_seq=np.zeros(plan.clients, np.int64),
        last_ns=np.zeros(len(evidence.schedule), np.int64),
        unseen=~np.isin(workers, list(evidence.recording.seen)),
        timings=Timings(len(evidence.schedule)),
    )
    strange_seqs: list[tuple[int, int, int]] = []
    for worker, seen in sorted(evidence.recording.seen.items()):
        mine = workers == worker
        name = f"deliveries of worker-{worker:02}"
        whole = attempts.make(
            name, partial(_tally_worker, found, evidence, worker, seen, np.flatnonzero(mine), strange_seqs), False
        )
        if not whole:
            attempts.note(name, "rows are missing: fewer deliveries than were counted, or no frames or sessions")
            found.unseen |= mine
    _judge_numbers(found, evidence, strange_seqs)
    return found


def _tally_worker(
    found: Tally, evidence: Evidence, worker: int, seen: Seen, mine: Ints, strange_seqs: list[tuple[int, int, int]]
) -> bool:
    """Count the deliveries of one load worker; whether its rows are complete."""
    orphans = found.orphans
    local = np.zeros(evidence.plan.clients, np.uint16)
    local[mine] = np.arange(len(mine))
    frames = _look_at(evidence, seen)
    receiver = _Receiver(evidence, worker)
    repetitions = Repetitions(evidence.sessions)
    for rows in _chunks(seen):
        found.rows += len(rows)
        piece = _match(evidence, found, frames, rows, receiver.shift_ns)
        strange_seqs += _odd_numbers(evidence, piece)
        first = _count(found, evidence, piece, repetitions)
        _follow_order(found, evidence, piece, first, local)
        np.maximum.at(found.last_ns, piece.message, piece.received_ns)
        _time(found, evidence, piece, first, receiver)
    found.resumed_again.update(repetitions.allowed(_receipts(seen, frames, receiver.shift_ns)))
    least = _deliveries_at_least(evidence, worker)
    return found.orphans == orphans and len(seen.deliveries) >= least and len(seen.sessions) > 0


def _deliveries_at_least(evidence: Evidence, worker: int) -> int:
    """How many rows the worker must have left: as many as it counted itself, and some where every client saw its probe."""
    heartbeat = evidence.recording.heartbeats.get(f"worker-{worker:02}")
    counted = 0 if heartbeat is None else int(heartbeat["count"].max(initial=0))
    probe = evidence.recording.event("probe")
    probed = probe is not None and int(probe["seen"]) >= evidence.plan.clients
    return max(counted, int(probed))


def _receipts(seen: Seen, frames: "_Frames", shift_ns: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """(client, message, received_ns) of every delivery whose frame is known."""
    for rows in _chunks(seen):
        known = rows[rows["frame"] < len(frames)]
        message = frames.message[known["frame"].astype(np.int64)]
        yield known["client"].astype(np.int64), message, known["received_ns"].astype(np.int64) + shift_ns


class _Receiver:
    """The clock of one load worker. ``shift_ns`` brings its times to the clock of the ledger, as far as that is known."""

    def __init__(self, evidence: Evidence, worker: int) -> None:
        clocks = evidence.clocks
        self.host = clocks.of_file(f"deliveries-{worker:02}")
        zero = np.zeros(1, np.int64)
        shift = clocks.elapsed_ns(zero, evidence.generator_host, zero, self.host)
        self.shift_ns = int(shift.middle[0])
        self.times_push = evidence.trace is not None and push_is_comparable(evidence)


def push_is_comparable(evidence: Evidence) -> bool:
    """Whether every server's clock can be compared with those of all load workers."""
    hosts = [evidence.clocks.of_file(f"deliveries-{worker:02}") for worker in sorted(evidence.recording.seen)]
    return all(evidence.clocks.comparable(evidence.server_host, host) for host in hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Deliveries that are what was posted, to the clients that it was posted for, in order of arrival. ``received_ns`` is
    on the clock of the ledger."""

    client: Ints
    message: Ints
    seq: Ints
    received_ns: Ints
    pair: Ints

    def __len__(self) -> int:
        return len(self.client)


def _chunks(seen: Seen) -> Iterator[NDArray[np.void]]:
    for start in range(0, len(seen.deliveries), PIECE_ROWS):
        yield np.asarray(seen.deliveries[start : start + PIECE_ROWS])


_FLAWS = (
    "not compared with its post (too many different frames)",
    "not of this run",
    "altered text",
    "under another channel's name",
    "of a post that was rejected",
    "of a post that was not sent",
)
_UNSUBSCRIBED = "to a client that is not subscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frames:
    """The distinct frames that a worker saw, by frame: what is true of a frame is true of all its deliveries.

    ``pair``: the number of its pair is this and the client's. ``flaw``: 0 for none, else an index into ``_FLAWS``, and 1.
    """

    message: Ints
    channel: Ints
    seq: Ints
    pair: Ints
    flaw: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.message)


def _look_at(evidence: Evidence, seen: Seen) -> _Frames:
    table = seen.frames
    message = table["message"].astype(np.int64)
    safe = np.maximum(message, 0)
    meant = evidence.channel[safe]
    outcome = evidence.outcome[safe]
    flaws = (
        table["flaw"] == UNVERIFIED,
        (table["flaw"] == FOREIGN) | (message < 0),
        table["flaw"] == ALTERED,
        table["channel"] != meant,
        outcome == REJECTED,
        outcome == UNSENT,
    )
    flaw = np.zeros(len(table), np.uint8)
    for number, wrong in reversed(list(enumerate(flaws, 1))):
        flaw[wrong] = number
    return _Frames(
        message=message,
        channel=meant,
        seq=table["seq"].astype(np.int64),
        pair=evidence.base[safe] - evidence.first_client[meant],
        flaw=flaw,
    )


def _match(evidence: Evidence, found: Tally, frames: _Frames, rows: NDArray[np.void], shift_ns: int) -> _Piece:
    """Count the phantoms and leave them out; number the pairs of the rest."""
    which, client = rows["frame"], rows["client"]
    # A worker that was killed between two files may have written deliveries whose frame never came to disk.
    known = (which < len(frames)) & (client < evidence.plan.clients)
    if not known.all():
        found.orphans += int((~known).sum())
        rows = rows[known]
        which, client = rows["frame"], rows["client"]
    which, client = which.astype(np.int64), client.astype(np.int64)
    message, seq, flaw = frames.message[which], frames.seq[which], frames.flaw[which]
    received_ns = rows["received_ns"].astype(np.int64)
    if shift_ns:
        received_ns += shift_ns
    elsewhere = evidence.client_channel[client] != frames.channel[which]
    wrong = (flaw > 0) | elsewhere
    if wrong.any():
        for number, kind in enumerate(_FLAWS, 1):
            _note_phantoms(found, evidence, kind, flaw == number, client, message, seq)
        _note_phantoms(found, evidence, _UNSUBSCRIBED, elsewhere & (flaw == 0), client, message, seq)
        sound = ~wrong
        which, client, message, seq, received_ns = (
            column[sound] for column in (which, client, message, seq, received_ns)
        )
    return _Piece(client=client, message=message, seq=seq, received_ns=received_ns, pair=frames.pair[which] + client)


def _note_phantoms(
    found: Tally, evidence: Evidence, kind: str, these: Bools, client: Ints, message: Ints, seq: Ints
) -> None:
    client, message, seq = client[these], message[these], seq[these]
    if not len(client):
        return
    found.phantom_kinds[kind] += len(client)
    phases = np.where(message >= 0, evidence.schedule.phase[np.maximum(message, 0)], MEASURED)
    found.phantom.update(phases.tolist())
    for index in range(min(len(client), EXAMPLES)):
        found.example("phantom", f"client {client[index]}: message {message[index]} (seq {seq[index]}), {kind}")


def _count(found: Tally, evidence: Evidence, piece: _Piece, repetitions: Repetitions) -> Bools:
    """Count the pairs; which rows are their pair's first."""
    first = np.ones(len(piece), np.bool_)
    if not len(piece):
        return first
    low = int(piece.pair.min())
    window = found.count[low : int(piece.pair.max()) + 1]
    pair = piece.pair - low
    already = window[pair]
    if not already.any():
        before = np.count_nonzero(window)
        window[pair] = 1
        if np.count_nonzero(window) - before == len(pair):
            return first  # as it should be: each pair new, and once
        window[pair] = 0
    pairs, at, added = np.unique(pair, return_index=True, return_counts=True)
    first[:] = False
    first[at] = already[at] == 0
    window[pairs] = np.minimum(window[pairs] + added, 255)
    for index in np.flatnonzero(~first):
        message, client = int(piece.message[index]), int(piece.client[index])
        phase = int(evidence.schedule.phase[message])
        found.duplicates_wire[phase] += 1
        repetitions.note(client, message, phase, int(piece.seq[index]), int(piece.received_ns[index]))
        found.example("duplicate-wire", f"client {client}: message {message} (seq {piece.seq[index]}) again")
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


def _follow_order(found: Tally, evidence: Evidence, piece: _Piece, first: Bools, local: NDArray[np.uint16]) -> None:
    """After dropping repetitions, each client's seqs must rise."""
    here = np.flatnonzero(first)
    if not len(here):
        return
    # A worker has at most 65,536 clients: numbers of 16 bits sort by radix, ten times as fast.
    number = local[piece.client[here]]
    order = np.argsort(number, kind="stable")
    number, here = number[order], here[order]
    seq = piece.seq[here]
    starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]])
    clients = piece.client[here[starts]]
    previous = np.r_[0, seq[:-1]]
    previous[starts] = found.highest_seq[clients]
    for index in np.flatnonzero(seq < previous):
        row = here[index]
        found.out_of_order[int(evidence.schedule.phase[piece.message[row]])] += 1
        found.example("order", f"client {piece.client[row]}: seq {seq[index]} after seq {previous[index]}")
    found.highest_seq[clients] = np.maximum(found.highest_seq[clients], np.maximum.reduceat(seq, starts))


def _time(found: Tally, evidence: Evidence, piece: _Piece, first: Bools, receiver: _Receiver) -> None:
    """Note how long the measured deliveries of this piece took."""
    message, client, received = piece.message, piece.client, piece.received_ns
    keep = first & evidence.measured[message]
    if not keep.all():
        message, client, received = message[keep], client[keep], received[keep]
    server = evidence.client_server[client]
    push = np.empty(0, np.int64)
    if evidence.trace is not None and receiver.times_push:
        at_server = evidence.trace.received[server, message]
        one = evidence.clocks.one
        push = evidence.clocks.elapsed_ns(
            at_server,
            receiver.host if one else evidence.server_host[server],
            received if one else received - receiver.shift_ns,
            receiver.host,
        ).middle
        traced = (at_server > 0) & ~evidence.reconnected[client]
        if not traced.all():
            push = push[traced]
    disturbed = np.zeros(len(message), np.bool_)
    if evidence.disturbance is not None:
        disturbed = evidence.disturbance.of(message, client, server)
        found.disturbed_last_ns = max(found.disturbed_last_ns, int(received[disturbed].max(initial=0)))
    latency = received - evidence.intended_ns[message]
    found.timings.append(message, latency, evidence.second[message], server, disturbed, push)
