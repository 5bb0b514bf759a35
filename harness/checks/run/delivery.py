"""Did every client get every message, once, and nothing else?"""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.checks.evidence.evidence import PHASES, Evidence, Ints, must_arrive
from harness.checks.evidence.tally import EXAMPLES, Tally
from harness.checks.statistics.distribution import loss_bound
from harness.model.finding import Finding, Kind, Status
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED, UNSENT

BLOCK_PAIRS = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The deliveries settled against the ledger: ``expected`` and ``delivered`` pairs by message, and message and client of
    every lost one.
    """

    expected: Ints
    delivered: Ints
    lost_message: Ints
    lost_client: Ints
    tail: NDArray[np.bool_]
    """which of the lost come after everything that their client received"""


def settle(evidence: Evidence, tally: Tally) -> Account:
    """Find every missing pair: a client that was subscribed, a message that must arrive, and no delivery."""
    sizes = evidence.audience[evidence.channel]
    got = _delivered(evidence, tally, sizes)
    must = must_arrive(evidence, got)
    short = np.flatnonzero(must & (got < sizes))
    message = np.repeat(short, sizes[short])
    within = np.arange(len(message)) - np.repeat(np.cumsum(sizes[short]) - sizes[short], sizes[short])
    missing = tally.count[evidence.base[message] + within] == 0
    message, within = message[missing], within[missing]
    client = within + evidence.first_client[evidence.channel[message]]
    # A client that subscribed later than the rest has no claim to what came before.
    late = evidence.seq[message] <= first_positions(evidence)[client]
    excused = np.bincount(message[late], minlength=len(sizes))
    message, client = message[~late], client[~late]
    return Account(
        expected=np.where(must, sizes - excused, 0),
        delivered=got,
        lost_message=message,
        lost_client=client,
        tail=evidence.seq[message] > tally.highest_seq[client],
    )


def _delivered(evidence: Evidence, tally: Tally, sizes: Ints) -> Ints:
    """How many clients each message reached, shape (messages,)."""
    got = np.zeros(len(sizes), np.int64)
    edges = np.unique(np.r_[np.searchsorted(evidence.base, np.arange(0, evidence.pairs, BLOCK_PAIRS)), len(sizes)])
    for low, high in pairwise(edges.tolist()):
        first = evidence.base[low]
        counted = tally.count[first : evidence.base[high - 1] + sizes[high - 1]]
        # Nearly always everything is there, and that is seen at a glance.
        got[low:high] = (
            sizes[low:high] if counted.all() else np.add.reduceat(counted > 0, evidence.base[low:high] - first)
        )
    return got


def first_positions(evidence: Evidence) -> Ints:
    """The seq after which each client's first subscription began, shape (clients,)."""
    position = np.zeros(evidence.plan.clients, np.int64)
    for seen in evidence.recording.seen.values():
        sessions = seen.sessions[seen.sessions["subscribed_ns"] > 0]
        clients, first = np.unique(sessions["client"], return_index=True)
        position[clients] = sessions["position"][first]
    return position


def counts(evidence: Evidence, tally: Tally, account: Account) -> dict[str, dict[str, int]]:
    """The integers of `measurements.delivery`, by phase."""
    found = {}
    for name, phase in PHASES.items():
        of_phase = evidence.schedule.phase == phase
        outcome = evidence.outcome[of_phase]
        lost = of_phase[account.lost_message]
        found[name] = {
            "posted": int((outcome != UNSENT).sum()),
            "acknowledged": int((outcome == ACKNOWLEDGED).sum()),
            "rejected": int((outcome == REJECTED).sum()),
            "indeterminate": int((outcome == INDETERMINATE).sum()),
            "expected": int(account.expected[of_phase].sum()),
            "delivered": int(account.delivered[of_phase].sum()),
            "lost": int(lost.sum()),
            "lost_tail": int((lost & account.tail).sum()),
            "duplicates_wire": tally.duplicates_wire[phase],
            "duplicates_visible": tally.duplicates_visible[phase],
            "out_of_order": tally.out_of_order[phase],
            "phantom": tally.phantom[phase],
        }
    return found


def findings(evidence: Evidence, tally: Tally, account: Account) -> list[Finding]:
    pairs = int(account.expected.sum())
    reconnected = _reconnections(evidence)
    found = [
        _lost(evidence, account, pairs),
        _lost_tail(evidence, account, pairs),
        _none_of(
            "duplicate-visible", "same message under two seqs at one client", tally.duplicates_visible, tally, pairs
        ),
        _none_of("order", "delivery behind a later one of its channel", tally.out_of_order, tally, pairs),
        _none_of("phantom", "delivery that nobody should have got", tally.phantom, tally, pairs, tally.phantom_kinds),
    ]
    if reconnected:
        # Around a resume a message may come once more; the client drops it by (channel, seq).
        total = tally.duplicates_wire.total()
        summary = f"{total:,} repetitions on the wire, allowed around {reconnected:,} reconnections"
        found.append(
            Finding(
                check="duplicate-wire",
                kind=Kind.SAFETY,
                status=Status.PASS,
                summary=summary,
                measured=total,
                expected="counted only",
                samples=pairs,
            )
        )
    else:
        found.append(_none_of("duplicate-wire", "delivery repeated to one client", tally.duplicates_wire, tally, pairs))
    return found


def _lost(evidence: Evidence, account: Account, pairs: int) -> Finding:
    lost = len(account.lost_message)
    status, remark = Status.PASS, f"all {pairs:,} expected deliveries arrived"
    if not pairs:
        status, remark = Status.UNKNOWN, "no acknowledged message: nothing was to be delivered"
    elif not evidence.complete:
        status = Status.UNKNOWN
        remark = (
            f"{lost:,} of {pairs:,} had not arrived when the run ended early ({evidence.ended or 'no end recorded'})"
        )
    elif lost:
        clients = len(np.unique(account.lost_client))
        messages = len(np.unique(account.lost_message))
        status = Status.FAIL
        remark = f"{lost:,} of {pairs:,} deliveries never arrived ({messages:,} messages, {clients:,} clients)"
    return Finding(
        check="lost",
        kind=Kind.SAFETY,
        status=status,
        summary=remark + _by_phase(Counter(evidence.schedule.phase[account.lost_message].tolist())),
        measured=lost,
        expected=0,
        samples=pairs,
        confidence=loss_bound(pairs) if status is Status.PASS else "",
        examples=_name(evidence, account, slice(0, EXAMPLES)),
    )


def _lost_tail(evidence: Evidence, account: Account, pairs: int) -> Finding:
    tail = np.flatnonzero(account.tail)
    status = Status.PASS if pairs and evidence.complete else Status.UNKNOWN
    summary = "no client's last messages are missing"
    if not pairs or not evidence.complete:
        summary = "not decided: the run did not come to its end" if pairs else "no acknowledged message"
    elif len(tail):
        status = Status.FAIL
        clients = len(np.unique(account.lost_client[tail]))
        summary = (
            f"{len(tail):,} lost deliveries come after the last one that their client received ({clients:,} clients)"
        )
    return Finding(
        check="lost-tail",
        kind=Kind.SAFETY,
        status=status,
        summary=summary,
        measured=len(tail),
        expected=0,
        samples=pairs,
        examples=_name(evidence, account, tail[:EXAMPLES]),
    )


def _none_of(
    check: str, what: str, by_phase: Counter[int], tally: Tally, pairs: int, kinds: Counter[str] | None = None
) -> Finding:
    total = by_phase.total()
    status = Status.FAIL if total else (Status.PASS if tally.rows and pairs else Status.UNKNOWN)
    summary = f"{total:,} × {what}" + _by_phase(by_phase)
    if kinds:
        summary += ": " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    if status is Status.UNKNOWN:
        summary = "no delivery was recorded"
    return Finding(
        check=check,
        kind=Kind.SAFETY,
        status=status,
        summary=summary if total or status is Status.UNKNOWN else f"no {what} among {tally.rows:,} deliveries",
        measured=total,
        expected=0,
        samples=tally.rows,
        confidence=loss_bound(tally.rows) if status is Status.PASS else "",
        examples=tuple(tally.examples.get(check, ())),
    )


def _by_phase(found: Counter[int]) -> str:
    """Where the ones that were found lie, if any: everything counts, warm-up and probes too."""
    parts = [f"{found[phase]:,} in {name.replace('_', '-')}" for name, phase in PHASES.items() if found[phase]]
    return f" [{', '.join(parts)}]" if parts else ""


def _name(evidence: Evidence, account: Account, which: "slice | Ints") -> tuple[str, ...]:
    return tuple(
        f"client {client}: message {message} (channel {evidence.channel[message]}, seq {evidence.seq[message]})"
        for client, message in zip(account.lost_client[which], account.lost_message[which], strict=True)
    )


def _reconnections(evidence: Evidence) -> int:
    """Connections beyond each client's first."""
    return sum(
        len(seen.sessions) - len(np.unique(seen.sessions["client"])) for seen in evidence.recording.seen.values()
    )
