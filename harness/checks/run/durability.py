"""Does the database hold what was acknowledged and delivered, numbered without a gap, and was it committed first?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.disturbance import broken_servers
from harness.checks.evidence.evidence import Bools, Evidence, Trace
from harness.checks.evidence.sessions import NEVER
from harness.checks.evidence.tally import EXAMPLES
from harness.checks.run import durability_lag, numbering
from harness.checks.run.protocol_violations import outcome_reasons
from harness.checks.statistics.distribution import loss_bound
from harness.model.backplane import WRITE_PATHS, commit_seen_early
from harness.model.fault import FaultKind, Target
from harness.model.finding import Kind, Status
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED, UNSENT

PLANTED = "tests/harness/checks/run/test_durability.py::"
ANSWER_NS = 100_000_000
"""A post without an answer was on its way for at least this long, by assumption."""
GRACE_NS = 2_000_000_000
"""After a component is back: until all have connected to it again."""


def _undecided(why: str) -> Answer:
    return Answer(status=Status.UNKNOWN, summary=f"not known: {why}", expected=0)


_UNREAD = "the database was not read after the run"


def _none_wrong(
    wrong: "np.ndarray[tuple[int], np.dtype[np.int64]]", samples: int, what: str, name: Callable[[int], str]
) -> Answer:
    """The answer over ``samples`` messages, of which ``wrong`` break the rule."""
    status = Status.FAIL if len(wrong) else (Status.PASS if samples else Status.UNKNOWN)
    summary = f"{len(wrong):,} of {samples:,} {what}" if samples else "no message to look at"
    return Answer(
        status=status,
        summary=summary,
        measured=len(wrong),
        expected=0,
        samples=samples,
        confidence=loss_bound(samples) if status is Status.PASS else "",
        examples=tuple(name(int(message)) for message in wrong[:EXAMPLES]),
    )


def _ledger(case: Case) -> Answer:
    """Every planned message was posted and acknowledged, except where a fault excuses it: a post cannot succeed without
    the database, or on a server that is away. An outage of the broker excuses nothing, except on a write path that
    publishes before it commits."""
    evidence = case.evidence
    outcome = evidence.outcome
    excused = int((excusable(evidence) & np.isin(outcome, (REJECTED, INDETERMINATE))).sum())
    unsent, rejected = int((outcome == UNSENT).sum()), int((outcome == REJECTED).sum())
    indeterminate, acknowledged = int((outcome == INDETERMINATE).sum()), int((outcome == ACKNOWLEDGED).sum())
    total = len(outcome)
    status = Status.PASS
    if not evidence.has_ledger:
        return _undecided("posts.npy is missing or does not fit the plan")
    if unsent or not evidence.complete or not acknowledged:
        status = Status.UNKNOWN
    elif rejected + indeterminate > excused:
        status = Status.FAIL
    remark = f"; {excused:,} of them were due in the outage" if excused else ""
    if reasons := outcome_reasons(evidence):
        remark += f". Newest reasons: {reasons}"
    return Answer(
        status=status,
        summary=f"of {total:,} planned messages {acknowledged:,} were acknowledged, {rejected:,} rejected, "
        f"{indeterminate:,} have an unknown outcome, {unsent:,} were not sent{remark}",
        measured={
            "acknowledged": acknowledged,
            "rejected": rejected,
            "indeterminate": indeterminate,
            "unsent": unsent,
        },
        expected={"acknowledged": total - excused},
        samples=total,
    )


def excusable(evidence: Evidence) -> Bools:
    """Which posts may fail: those that were on their way between the beginning of an outage of the database or of
    servers and two seconds after its end. An outage of the broker excuses posts only if the write path needs its
    answer."""
    found = np.zeros(len(evidence.outcome), np.bool_)
    posts = evidence.recording.posts
    if not evidence.has_ledger:
        return found
    until_ns = np.maximum(posts["answered_ns"], posts["intended_ns"] + ANSWER_NS)
    write_path = WRITE_PATHS.find(evidence.plan.write_path)
    asks_broker = write_path is not None and not write_path.commits_first
    needed = {Target.DATABASE, Target.SERVER, Target.SERVERS} | ({Target.BROKER} if asks_broker else set())
    for outage in evidence.outages:
        if outage.fault.target in needed:
            end_ns = NEVER if outage.back_ns == NEVER else outage.back_ns + GRACE_NS
            found |= (until_ns >= outage.begun_ns) & (posts["intended_ns"] <= end_ns)
    return found


def _acknowledged_not_stored(case: Case) -> Answer:
    evidence = case.evidence
    if evidence.stored_seq is None:
        return _undecided(_UNREAD)
    acknowledged = evidence.outcome == ACKNOWLEDGED
    wrong = np.flatnonzero(acknowledged & (evidence.stored_seq == 0))
    answer = _none_wrong(
        wrong,
        int(acknowledged.sum()),
        "acknowledged messages are not in the database",
        lambda message: f"message {message}, acknowledged as seq {evidence.seq[message]}",
    )
    losses = case.measured.durability.losses if case.measured.durability else ()
    words = [
        f"{loss.server}, killed at {loss.killed_s:.2f} s: {loss.found:,} lost, {loss.expected:,.0f} expected "
        f"({loss.expected_low:,.0f} to {loss.expected_high:,.0f}: {loss.rate_hz:g}/s × {loss.lag_s:.2f} s)"
        for loss in losses
        if loss.expected or loss.found
    ]
    return replace(answer, summary="; ".join((answer.summary, *words)))


def _delivered_not_stored(case: Case) -> Answer:
    evidence, account = case.evidence, case.account
    if evidence.stored_seq is None:
        return _undecided(_UNREAD)
    delivered = account.delivered > 0
    wrong = np.flatnonzero(delivered & (evidence.stored_seq == 0))
    return _none_wrong(
        wrong,
        int(delivered.sum()),
        "delivered messages are not in the database",
        lambda message: f"message {message}, delivered to {account.delivered[message]:,} clients",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """By message: the rules of the write path that it certainly broke, and those that the clocks do not decide."""

    broken: Mapping[str, Bools]
    open: Bools

    def reasons(self, message: int) -> str:
        return f"message {message}: {', '.join(rule for rule, wrong in self.broken.items() if wrong[message])}"


def _order(evidence: Evidence, trace: Trace, traced: Bools) -> _Order:
    clocks, host = evidence.clocks, evidence.server_host[trace.accepted_by]
    answered = np.zeros(len(traced), np.int64)
    if evidence.has_ledger:
        answered = evidence.recording.posts["answered_ns"].astype(np.int64)
    acknowledged = traced & (evidence.outcome == ACKNOWLEDGED)
    until_answer = clocks.elapsed_ns(trace.committed, host, answered, evidence.generator_host)
    early_arrival, open_arrival = np.zeros(len(traced), np.bool_), np.zeros(len(traced), np.bool_)
    own_notice = not commit_seen_early(evidence.plan.backplane, evidence.plan.backplane_settings)
    for server, (received, live) in enumerate(zip(trace.received, trace.live, strict=True)):
        # Only over the backplane: a message that a server reads from the database is committed, even if the
        # confirmation is late.
        arrived = traced & live & own_notice
        until_arrival = clocks.elapsed_ns(trace.committed, host, received, int(evidence.server_host[server]))
        early_arrival |= arrived & (until_arrival.high < 0)
        open_arrival |= arrived & until_arrival.open
    return _Order(
        broken={
            "never committed": traced & (trace.committed == 0),
            "answered before COMMIT": acknowledged & (until_answer.high < 0),
            "published before COMMIT": traced & (trace.published > 0) & (trace.published < trace.committed),
            "on another server before COMMIT": early_arrival,
        },
        open=(acknowledged & until_answer.open) | open_arrival,
    )


def _commit_order(case: Case) -> Answer:
    """The message is published, and the post answered, only after COMMIT was confirmed."""
    evidence, trace = case.evidence, case.evidence.trace
    if trace is None:
        return _undecided("the servers' traces were not collected")
    path = WRITE_PATHS.find(evidence.plan.write_path)
    if path is None or not path.commits_first:
        return _undecided(f"write path {evidence.plan.write_path} does not promise it")
    traced = trace.accepted > 0
    order = _order(evidence, trace, traced)
    answer = _none_wrong(
        np.flatnonzero(np.logical_or.reduce(list(order.broken.values()))),
        int(traced.sum()),
        "traced messages were answered or published before they were committed",
        order.reasons,
    )
    missing = (evidence.outcome == ACKNOWLEDGED) & ~traced
    gone = missing & _gone_with_their_server(evidence)
    untraced, open_ = int((missing & ~gone).sum()), int(order.open.sum())
    if gone.any():
        answer = replace(answer, summary=f"{answer.summary}; the trace of {int(gone.sum()):,} ended with its server")
    if untraced and answer.status is Status.PASS:
        summary = f"{answer.summary}; {untraced:,} acknowledged messages are in no server's trace"
        answer = replace(answer, status=Status.UNKNOWN, summary=summary, confidence="")
    if open_ and answer.status is not Status.FAIL:
        summary = (
            f"{answer.summary}; of {open_:,} messages it is not known whether COMMIT came first, because the clocks "
            "of the hosts cannot be compared closely enough"
        )
        answer = replace(answer, status=Status.UNKNOWN, summary=summary, confidence="")
    return answer


def _gone_with_their_server(evidence: Evidence) -> Bools:
    """Messages that a server accepted before it was ended on purpose: its trace was in its memory."""
    found = np.zeros(len(evidence.outcome), np.bool_)
    posts = evidence.recording.posts
    if not evidence.has_ledger:
        return found
    for outage in evidence.outages:
        if outage.fault.kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART):
            mine = np.isin(posts["server"], broken_servers((outage.fault,)))
            done_ns = outage.fault.times.done_ns if outage.fault.times else None
            found |= mine & (posts["sent_ns"] <= (done_ns or 0))
    return found


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="ledger",
        kind=Kind.SAFETY,
        function=_ledger,
        needs=(Need.LEDGER, Need.EVENTS),
        red_when=(
            "a post was rejected or its outcome is unknown. An outage of the database or of servers (from its "
            "beginning until two seconds after its end) excuses such posts. An outage of the broker excuses them "
            "only on a write path that publishes before it commits. UNKNOWN if a post was not sent"
        ),
        what_to_do="the server's log; the sender's log for time-outs",
        planted_bug=f"{PLANTED}test_a_rejected_message_must_not_be_delivered",
    ),
    Check(
        name="acknowledged-not-stored",
        kind=Kind.SAFETY,
        function=_acknowledged_not_stored,
        needs=(Need.LEDGER, Need.AUDIT),
        red_when="the database lacks an acknowledged message",
        what_to_do="the write path; durability settings in `machine.json`",
        planted_bug=f"{PLANTED}test_acknowledged_but_not_stored_is_red",
    ),
    Check(
        name="delivered-not-stored",
        kind=Kind.SAFETY,
        function=_delivered_not_stored,
        needs=(Need.DELIVERIES, Need.AUDIT),
        red_when="the database lacks a delivered message",
        what_to_do="the write path: a message was published before COMMIT, or rolled back after it was published",
        planted_bug=f"{PLANTED}test_delivered_but_not_stored_is_red",
    ),
    Check(
        name="seq-gapless",
        kind=Kind.SAFETY,
        function=numbering.gapless,
        needs=(Need.AUDIT, Need.LEDGER),
        red_when=(
            "the stored seqs of a channel have a hole or a repetition; a stored text is not what was posted, is in "
            "another channel, or is stored twice; or a message was answered or delivered with another seq than the "
            "stored one. Each cause counts once, by its place (channel, seq); the summary also counts the messages "
            "that it affected"
        ),
        what_to_do="the statement that assigns seq; other writers on the same tables",
        planted_bug=f"{PLANTED}test_a_gap_in_the_stored_seqs_is_red",
    ),
    Check(
        name="commit-order",
        kind=Kind.SAFETY,
        function=_commit_order,
        # A server of another origin need not keep a trace; ours does, and without a trace the check is UNKNOWN.
        # A write path that publishes first does not promise it: its loss is `acknowledged-not-stored`.
        applies=lambda case: (
            (case.evidence.trace is not None or case.evidence.owns_servers)
            and durability_lag.commits_first(case.evidence)
        ),
        needs=(Need.TRACES, Need.LEDGER),
        red_when=(
            "by the servers' traces a message was answered, published or on another server before COMMIT. UNKNOWN if"
            " the clocks of the hosts cannot be compared. Does not apply to an external cluster without traces, nor "
            "to a write path that publishes before it commits. The arrival on another server is not compared if "
            "PostgreSQL itself shows the message at its COMMIT (`postgres-poll`, `inside_transaction`)"
        ),
        what_to_do="the write path; for UNKNOWN the clocks, see below",
        planted_bug=f"{PLANTED}test_a_publication_before_the_commit_is_red",
    ),
)
