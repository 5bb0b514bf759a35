"""One pass over every delivery: each is matched with its post, counted, timed. All checks work on the result.

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
from harness.checks.evidence.client_order import ClientOrder
from harness.checks.evidence.distinct_frames import FLAWS, VARIANTS, DistinctFrames, look_at
from harness.checks.evidence.evidence import Bools, Evidence, Ints
from harness.checks.evidence.receipts import Receipts
from harness.checks.evidence.repetitions import Repetitions
from harness.checks.evidence.timings import Timings
from harness.checks.statistics.distribution import PIECE_ROWS
from harness.planning.arrivals import MEASURED
from harness.planning.placement import client_workers
from harness.recording.reader import Seen

EXAMPLES = 20


@dataclass(slots=True, kw_only=True)
class Tally:
    """The deliveries of all clients together. ``seqs``: the seqs under which each pair came, a bit for each
    (`DistinctFrames.variant`), 0 for a pair that never came. ``highest_seq``: newest seq of each client, 0 for none.
    ``misnumbered``: clients of each message that got it first under another seq than its own. Counters are by phase,
    phantoms also by their flaw.
    """

    seqs: NDArray[np.uint8]
    highest_seq: Ints
    receipts: Receipts
    misnumbered: Ints
    rows: int = 0
    unseen: Bools
    """clients whose load worker left no rows, or not all: it is not known what they received"""
    duplicates_wire: Counter[int] = field(default_factory=Counter)
    resumed_again: Counter[int] = field(default_factory=Counter)
    """those of ``duplicates_wire`` that a reconnection of their client allows"""
    duplicates_visible: Counter[int] = field(default_factory=Counter)
    out_of_order: Counter[int] = field(default_factory=Counter)
    phantom: Counter[int] = field(default_factory=Counter)
    phantom_kinds: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    """deliveries whose frame or client is not known: a worker that was killed may leave them"""
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
    """Count everything. Deliveries that are whole and expected are matched by message, not by seq, so that the counts
    are right even if a server numbers wrongly. ``attempts`` keeps the load workers whose rows cannot be read."""
    attempts = attempts or Attempts()
    plan = evidence.plan
    workers = client_workers(plan)
    found = Tally(
        seqs=np.zeros(evidence.pairs, np.uint8),
        highest_seq=np.zeros(plan.clients, np.int64),
        receipts=Receipts(evidence),
        misnumbered=np.zeros(len(evidence.schedule), np.int64),
        unseen=~np.isin(workers, list(evidence.recording.seen)),
        timings=Timings(len(evidence.schedule)),
    )
    for worker, seen in sorted(evidence.recording.seen.items()):
        mine = workers == worker
        name = f"deliveries of worker-{worker:02}"
        whole = attempts.make(name, partial(_tally_worker, found, evidence, worker, seen, np.flatnonzero(mine)), False)
        if not whole:
            attempts.note(name, "rows are missing: fewer deliveries than were counted, or no frames or sessions")
            found.unseen |= mine
    return found


def _tally_worker(found: Tally, evidence: Evidence, worker: int, seen: Seen, mine: Ints) -> bool:
    """Count the deliveries of one load worker; whether its rows are complete."""
    orphans = found.orphans
    order = ClientOrder(found.highest_seq, mine)
    frames = look_at(evidence, seen)
    receiver = _Receiver(evidence, worker)
    repetitions = Repetitions(evidence.sessions)
    for rows in _chunks(seen):
        found.rows += len(rows)
        piece = _match(evidence, found, frames, rows, receiver.shift_ns)
        first = _count(found, evidence, piece, repetitions)
        if frames.any_odd:
            _note_numbers(found, evidence, frames, piece, first)
        _follow_order(found, evidence, piece, first, order)
        _time(found, evidence, piece, first, receiver)
    found.resumed_again.update(repetitions.allowed(_receipts(seen, frames, receiver.shift_ns)))
    least = _deliveries_at_least(evidence, worker)
    return found.orphans == orphans and len(seen.deliveries) >= least and len(seen.sessions) > 0


def _deliveries_at_least(evidence: Evidence, worker: int) -> int:
    """How many rows the worker must have left: as many as it counted itself, and some where every client saw its
    probe."""
    heartbeat = evidence.heartbeats.get(f"worker-{worker:02}")
    counted = 0 if heartbeat is None else int(heartbeat["count"].max(initial=0))
    probe = evidence.recording.event("probe")
    probed = probe is not None and int(probe["seen"]) >= evidence.plan.clients
    return max(counted, int(probed))


def _receipts(seen: Seen, frames: DistinctFrames, shift_ns: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """(client, message, received_ns) of every delivery whose frame is known."""
    for rows in _chunks(seen):
        known = rows[rows["frame"] < len(frames)]
        message = frames.message[known["frame"].astype(np.int64)]
        yield known["client"].astype(np.int64), message, known["received_ns"].astype(np.int64) + shift_ns


class _Receiver:
    """The clock of one load worker. ``shift_ns`` brings its times to the clock of the ledger, with an error of at most
    ``bound_ns``."""

    def __init__(self, evidence: Evidence, worker: int) -> None:
        clocks = evidence.clocks
        self.host = clocks.of_file(f"deliveries-{worker:02}")
        zero = np.zeros(1, np.int64)
        shift = clocks.elapsed_ns(zero, evidence.generator_host, zero, self.host)
        self.shift_ns = int(shift.middle[0])
        self.bound_ns = int(shift.high[0] - shift.low[0]) // 2
        self.times_push = evidence.trace is not None and push_is_comparable(evidence)


def push_is_comparable(evidence: Evidence) -> bool:
    """Whether every server's clock can be compared with those of all load workers."""
    hosts = [evidence.clocks.of_file(f"deliveries-{worker:02}") for worker in sorted(evidence.recording.seen)]
    return all(evidence.clocks.comparable(evidence.server_host, host) for host in hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Deliveries that are what was posted, to the clients that it was posted for, in order of arrival. ``received_ns``
    is on the clock of the ledger."""

    client: Ints
    frame: Ints
    message: Ints
    seq: Ints
    received_ns: Ints
    pair: Ints
    variant: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.client)


def _chunks(seen: Seen) -> Iterator[NDArray[np.void]]:
    for start in range(0, len(seen.deliveries), PIECE_ROWS):
        yield np.asarray(seen.deliveries[start : start + PIECE_ROWS])


_UNSUBSCRIBED = "to a client that is not subscribed"


def _match(evidence: Evidence, found: Tally, frames: DistinctFrames, rows: NDArray[np.void], shift_ns: int) -> _Piece:
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
        for number, kind in enumerate(FLAWS, 1):
            _note_phantoms(found, evidence, kind, flaw == number, client, message, seq)
        _note_phantoms(found, evidence, _UNSUBSCRIBED, elsewhere & (flaw == 0), client, message, seq)
        sound = ~wrong
        which, client, message, seq, received_ns = (
            column[sound] for column in (which, client, message, seq, received_ns)
        )
    return _Piece(
        client=client,
        frame=which,
        message=message,
        seq=seq,
        received_ns=received_ns,
        pair=frames.pair[which] + client,
        variant=frames.variant[which],
    )


def _note_phantoms(
    found: Tally, evidence: Evidence, kind: str, these: Bools, client: Ints, message: Ints, seq: Ints
) -> None:
    client, message, seq = client[these], message[these], seq[these]
    if not len(client):
        return
    found.phantom_kinds[kind] += len(client)
    phases = np.where(message >= 0, evidence.schedule.phase[np.maximum(message, 0)], MEASURED)
    found.phantom.update(dict(enumerate(np.bincount(phases).tolist())))
    for index in range(min(len(client), EXAMPLES)):
        found.example("phantom", f"client {client[index]}: message {message[index]} (seq {seq[index]}), {kind}")


def _count(found: Tally, evidence: Evidence, piece: _Piece, repetitions: Repetitions) -> Bools:
    """Count the pairs; which rows are their pair's first."""
    if not len(piece):
        return np.ones(0, np.bool_)
    low = int(piece.pair.min())
    window = found.seqs[low : int(piece.pair.max()) + 1]
    pair = piece.pair - low
    already = window[pair]
    if not already.any():
        before = np.count_nonzero(window)
        window[pair] = piece.variant
        if np.count_nonzero(window) - before == len(pair):
            return np.ones(len(piece), np.bool_)  # as it should be: each pair new, and once
        window[pair] = 0
    first = np.zeros(len(piece), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    first &= already == 0
    under_this_seq = np.zeros(len(piece), np.bool_)
    under_this_seq[np.unique(pair << VARIANTS | piece.variant, return_index=True)[1]] = True
    new_seq = under_this_seq & (already & piece.variant == 0)
    np.bitwise_or.at(window, pair, piece.variant)
    _note_again(found, evidence, piece, np.flatnonzero(~new_seq), repetitions)
    _note_under_two_seqs(found, evidence, piece, np.flatnonzero(new_seq & ~first))
    return first


def _note_again(found: Tally, evidence: Evidence, piece: _Piece, rows: Ints, repetitions: Repetitions) -> None:
    """Deliveries of a message that their client had under the same seq."""
    found.duplicates_wire.update(_by_phase(evidence, piece.message[rows]))
    for row in rows[repetitions.may_be_allowed(piece.client[rows])].tolist():
        message = int(piece.message[row])
        phase = int(evidence.schedule.phase[message])
        repetitions.note(int(piece.client[row]), message, phase, int(piece.seq[row]), int(piece.received_ns[row]))
    for row in rows[:EXAMPLES]:
        found.example(
            "duplicate-wire", f"client {piece.client[row]}: message {piece.message[row]} (seq {piece.seq[row]}) again"
        )


def _note_under_two_seqs(found: Tally, evidence: Evidence, piece: _Piece, rows: Ints) -> None:
    """Deliveries of a message that their client had under another seq: they pass every client's own comparison of
    (channel, seq), so the user sees the message twice."""
    found.duplicates_visible.update(_by_phase(evidence, piece.message[rows]))
    for row in rows[:EXAMPLES]:
        message = piece.message[row]
        found.example(
            "duplicate-visible",
            f"client {piece.client[row]}: message {message} (seq {evidence.seq[message]}) again as seq "
            f"{piece.seq[row]}",
        )


def _by_phase(evidence: Evidence, messages: Ints) -> Counter[int]:
    counts = np.bincount(evidence.schedule.phase[messages])
    return Counter({phase: count for phase, count in enumerate(counts.tolist()) if count})


def _note_numbers(found: Tally, evidence: Evidence, frames: DistinctFrames, piece: _Piece, first: Bools) -> None:
    """Count the first deliveries under another seq than their message's, by message: one message that is numbered
    wrongly is wrong at all its clients."""
    odd = np.flatnonzero(first & frames.odd[piece.frame])
    message = piece.message[odd]
    np.add.at(found.misnumbered, message, 1)
    for row in odd[np.unique(message, return_index=True)[1]][:EXAMPLES]:
        found.example(
            "seq",
            f"message {piece.message[row]} (channel {evidence.channel[piece.message[row]]}, "
            f"seq {evidence.seq[piece.message[row]]}): delivered as seq {piece.seq[row]}",
        )


def _follow_order(found: Tally, evidence: Evidence, piece: _Piece, first: Bools, order: ClientOrder) -> None:
    """After dropping repetitions, each client's seqs must rise."""
    client, seq = piece.client, piece.seq
    if not first.all():
        client, seq = client[first], seq[first]
    behind = order.follow(client, seq)
    if not len(behind.rows):
        return
    rows = np.flatnonzero(first)[behind.rows]
    found.out_of_order.update(_by_phase(evidence, piece.message[rows]))
    for row, highest in zip(rows[:EXAMPLES], behind.highest[:EXAMPLES], strict=True):
        found.example("order", f"client {piece.client[row]}: seq {piece.seq[row]} after seq {highest}")


def _time(found: Tally, evidence: Evidence, piece: _Piece, first: Bools, receiver: _Receiver) -> None:
    """Note when the deliveries of this piece were received, and how long the measured ones took."""
    message, client, received = piece.message, piece.client, piece.received_ns
    if not first.all():
        message, client, received = message[first], client[first], received[first]
    found.receipts.add(message, received, receiver.bound_ns)
    keep = evidence.timed[message]
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
