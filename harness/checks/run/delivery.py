"""Did every client get every message, once, in order, and nothing else?"""

from collections import Counter
from dataclasses import replace

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.account import Account
from harness.checks.evidence.evidence import PHASES, Bools, Evidence, Ints
from harness.checks.evidence.tally import EXAMPLES, Tally
from harness.checks.statistics.distribution import loss_bound
from harness.model.finding import Kind, Status
from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED, UNSENT

PLANTED = "tests/harness/checks/run/test_delivery.py::"


def measure(evidence: Evidence, tally: Tally, account: Account) -> DeliveryByPhase:
    """The integers of `RunMeasurements.delivery`."""
    found = {name: _counts(evidence, tally, account, phase) for name, phase in PHASES.items()}
    return DeliveryByPhase(**found)


def _counts(evidence: Evidence, tally: Tally, account: Account, phase: int) -> DeliveryCounts:
    of_phase = evidence.schedule.phase == phase
    outcome = evidence.outcome[of_phase]
    lost = of_phase[account.lost_message]
    return DeliveryCounts(
        posted=int((outcome != UNSENT).sum()),
        acknowledged=int((outcome == ACKNOWLEDGED).sum()),
        rejected=int((outcome == REJECTED).sum()),
        indeterminate=int((outcome == INDETERMINATE).sum()),
        expected=int(account.expected[of_phase].sum()),
        delivered=int(account.delivered[of_phase].sum()),
        lost=int(lost.sum()),
        undelivered=int(account.undelivered[of_phase].sum()),
        lost_tail=int((lost & account.tail).sum()),
        duplicates_wire=tally.duplicates_wire[phase],
        duplicates_visible=tally.duplicates_visible[phase],
        out_of_order=tally.out_of_order[phase],
        phantom=tally.phantom[phase],
    )


def _lost(case: Case) -> Answer:
    evidence, account = case.evidence, case.account
    lost, undelivered, pairs = len(account.lost_message), int(account.undelivered.sum()), account.pairs
    status, remark = Status.PASS, f"all {pairs:,} expected deliveries arrived"
    if case.tally.unseen.any():
        remark = f"no loss is known among {pairs:,} expected deliveries"
    if not pairs:
        status, remark = Status.UNKNOWN, "no message was acknowledged, so no delivery was expected"
    elif not evidence.complete:
        status = Status.UNKNOWN
        remark = (
            f"{lost + undelivered:,} of {pairs:,} had not arrived when the run ended early "
            f"({evidence.ended or 'no end recorded'})"
        )
    elif lost:
        clients = len(np.unique(account.lost_client))
        messages = len(np.unique(account.lost_message))
        status = Status.FAIL
        remark = f"{lost:,} of {pairs:,} deliveries never arrived ({messages:,} messages, {clients:,} clients)"
        if undelivered:
            remark += f"; {undelivered:,} more were undelivered at the end: {'; '.join(account.drain.why)}"
    elif undelivered:
        status = Status.UNKNOWN
        remark = f"{undelivered:,} of {pairs:,} deliveries were undelivered at the end: {'; '.join(account.drain.why)}"
    answer = Answer(
        status=status,
        summary=remark + _by_phase(_missing_by_phase(evidence, account)),
        measured=lost,
        expected=0,
        samples=account.messages,
        pairs=pairs,
        confidence=loss_bound(account.messages, pairs) if status is Status.PASS else "",
        examples=_named(evidence, account, slice(0, EXAMPLES)),
    )
    return _if_decided(answer, _unread(case, account.delivered == 0), _MAY_EXIST)


_MAY_EXIST = "reached no client, so it is not known whether they exist"


def _unread(case: Case, which: Bools) -> int:
    """How many messages of ``which`` have an unknown outcome, if the database was not read; only the database knows
    it."""
    evidence = case.evidence
    return int(((evidence.outcome == INDETERMINATE) & which).sum()) if evidence.stored_seq is None else 0


def _if_decided(answer: Answer, messages: int, why: str) -> Answer:
    """A PASS becomes UNKNOWN if ``messages`` have an unknown outcome."""
    if answer.status is not Status.PASS or not messages:
        return answer
    summary = (
        f"{answer.summary}; not decided: {messages:,} messages with an unknown outcome {why}, and the database was "
        "not read"
    )
    return replace(answer, status=Status.UNKNOWN, summary=summary, confidence="")


def _missing_by_phase(evidence: Evidence, account: Account) -> Counter[int]:
    phase = evidence.schedule.phase
    found = np.bincount(phase[account.lost_message], minlength=len(PHASES)).astype(np.int64)
    found += np.bincount(phase, weights=account.undelivered, minlength=len(PHASES)).astype(np.int64)
    return Counter(dict(enumerate(found.tolist())))


def _lost_tail(case: Case) -> Answer:
    evidence, account = case.evidence, case.account
    tail, pairs, undelivered = np.flatnonzero(account.tail), account.pairs, int(account.undelivered.sum())
    status, summary = Status.PASS, "no client misses its last messages"
    if not pairs or not evidence.complete:
        status = Status.UNKNOWN
        summary = "not decided: the run did not reach its end" if pairs else "no message was acknowledged"
    elif len(tail):
        status = Status.FAIL
        clients = len(np.unique(account.lost_client[tail]))
        summary = (
            f"{len(tail):,} lost deliveries are later than everything that their client received ({clients:,} clients)"
        )
    elif undelivered:
        status, summary = Status.UNKNOWN, f"not decided: {undelivered:,} deliveries were undelivered at the end"
    answer = Answer(
        status=status,
        summary=summary,
        measured=len(tail),
        expected=0,
        samples=account.messages,
        pairs=pairs,
        examples=_named(evidence, account, tail[:EXAMPLES]),
    )
    return _if_decided(answer, _unread(case, account.delivered == 0), _MAY_EXIST)


def _none_of(case: Case, check: str, what: str, by_phase: Counter[int], kinds: Counter[str] | None = None) -> Answer:
    """PASS if deliveries were recorded and no such delivery is among them."""
    tally, total, messages = case.tally, by_phase.total(), case.account.delivered_messages
    status = Status.FAIL if total else (Status.PASS if tally.rows and case.account.pairs else Status.UNKNOWN)
    summary = f"no {what} among {tally.rows:,} deliveries"
    if total:
        summary = f"{total:,} × {what}" + _by_phase(by_phase)
        if kinds:
            summary += ": " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    elif status is Status.UNKNOWN:
        summary = "no delivery was recorded"
    return Answer(
        status=status,
        summary=summary,
        measured=total,
        expected=0,
        samples=messages,
        pairs=tally.rows,
        confidence=loss_bound(messages, tally.rows) if status is Status.PASS else "",
        examples=tuple(tally.examples.get(check, ())),
    )


def _phantom(case: Case) -> Answer:
    """A delivered message with an unknown outcome is a phantom if the database does not hold it."""
    answer = _none_of(case, "phantom", "delivery that is not allowed", case.tally.phantom, case.tally.phantom_kinds)
    why = "were delivered, and it is not known whether that was right"
    return _if_decided(answer, _unread(case, case.account.delivered > 0), why)


def _duplicate_wire(case: Case) -> Answer:
    """A repetition is wrong unless a reconnection of its own client allows it; allowed ones are counted and
    reported."""
    found, allowed = case.tally.duplicates_wire, case.tally.resumed_again
    answer = _none_of(case, "duplicate-wire", "delivery repeated to one client", found - allowed)
    if not allowed.total():
        return answer
    summary = f"{answer.summary}; {allowed.total():,} repetitions after a reconnection of their client are allowed"
    return replace(
        answer, summary=summary, measured={"repeated": found.total() - allowed.total(), "allowed": allowed.total()}
    )


def _by_phase(found: Counter[int]) -> str:
    """In which phases they are. Every phase counts, warm-up and probes too."""
    parts = [f"{found[phase]:,} in {name.replace('_', '-')}" for name, phase in PHASES.items() if found[phase]]
    return f" [{', '.join(parts)}]" if parts else ""


def _named(evidence: Evidence, account: Account, which: "slice | Ints") -> tuple[str, ...]:
    return tuple(
        f"client {client}: message {message} (channel {evidence.channel[message]}, seq {evidence.seq[message]})"
        for client, message in zip(account.lost_client[which], account.lost_message[which], strict=True)
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="lost",
        kind=Kind.SAFETY,
        function=_lost,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.SESSIONS, Need.EVENTS),
        red_when=(
            "a message that must arrive never reached a subscribed client, and nothing remained that could still "
            "bring it. A message must arrive if it was acknowledged, or if its outcome is unknown and it exists. "
            "UNKNOWN if deliveries were undelivered at the end, see below, or if no client received a message of "
            "unknown outcome and the database was not read"
        ),
        what_to_do="`lost_at` names the hop; read that server's log",
        planted_bug=f"{PLANTED}test_one_lost_delivery_is_red",
    ),
    Check(
        name="lost-tail",
        kind=Kind.SAFETY,
        function=_lost_tail,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.SESSIONS, Need.EVENTS),
        red_when="a lost message is later than every message that its client received",
        what_to_do="the gateway finds holes but not missing ends: look at its comparison with the database",
        planted_bug=f"{PLANTED}test_a_lost_tail_is_red_twice",
    ),
    Check(
        name="duplicate-visible",
        kind=Kind.SAFETY,
        function=lambda case: _none_of(
            case,
            "duplicate-visible",
            "message that one client got twice, with different seqs",
            case.tally.duplicates_visible,
        ),
        needs=(Need.LEDGER, Need.DELIVERIES),
        red_when="a client got one message twice, with two different seqs, so that it cannot recognise the repetition",
        what_to_do="idempotency of posts (`client_msg_id`)",
        planted_bug=f"{PLANTED}test_a_message_under_two_seqs_is_a_visible_duplicate",
    ),
    Check(
        name="order",
        kind=Kind.SAFETY,
        function=lambda case: _none_of(
            case, "order", "delivery after a later message of its channel", case.tally.out_of_order
        ),
        needs=(Need.LEDGER, Need.DELIVERIES),
        red_when=(
            "a client got a seq below the highest that it already had. Every such delivery counts: of n + 3, n, n + "
            "1, n + 2 three count"
        ),
        what_to_do="the gateway's order",
        planted_bug=f"{PLANTED}test_two_swapped_deliveries_are_red",
    ),
    Check(
        name="phantom",
        kind=Kind.SAFETY,
        function=_phantom,
        needs=(Need.LEDGER, Need.DELIVERIES),
        red_when=(
            "a client got a text of another run, a changed text, a text in the wrong channel, a text of a channel "
            "that it is not subscribed to, or a text of a post that was rejected or not sent. UNKNOWN if a message "
            "with an unknown outcome was delivered and the database was not read"
        ),
        what_to_do="the summary counts each kind; `examples` name messages: compare their texts with the database",
        planted_bug=f"{PLANTED}test_phantoms_are_red",
    ),
    Check(
        name="duplicate-wire",
        kind=Kind.SAFETY,
        function=_duplicate_wire,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.SESSIONS),
        red_when=(
            "a client got a message twice. One case is counted and allowed: a client that reconnected gets a message"
            " once on each connection, and the message is after the position that the new subscription named"
        ),
        what_to_do="the gateway's position in the channel",
        planted_bug=f"{PLANTED}test_a_delivery_repeated_on_the_wire_is_red",
    ),
)
