"""Does the database hold what was acknowledged and what was delivered, numbered without a gap, committed first?"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.checks.evidence.disturbance import broken_servers
from harness.checks.evidence.evidence import Bools, Evidence
from harness.checks.evidence.tally import EXAMPLES, Tally
from harness.checks.run.delivery import Account
from harness.checks.statistics.distribution import loss_bound
from harness.model.fault import FaultKind, Target
from harness.model.finding import Finding, Kind, Status
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED, SOUND, UNSENT

ANSWER_NS = 100_000_000
"""How long a post that got no answer is taken to have been on its way, at least."""
GRACE_NS = 2_000_000_000
"""After a part is back: until everybody has connected to it again."""


def findings(evidence: Evidence, tally: Tally, account: Account) -> list[Finding]:
    found = [_ledger(evidence)]
    if evidence.stored_seq is None:
        found += [
            _undecided(check, "the database was not read after the run")
            for check in ("acknowledged-not-stored", "delivered-not-stored", "seq-gapless")
        ]
    else:
        found += [
            _acknowledged_not_stored(evidence),
            _delivered_not_stored(evidence, account),
            _gapless(evidence, tally),
        ]
    if evidence.trace is not None or evidence.plan.environment != "external":
        # Somebody else's server need not keep a trace; ours does, and then its absence leaves the question open.
        found.append(_commit_order(evidence))
    return found


def _undecided(check: str, why: str) -> Finding:
    return Finding(
        check=check, kind=Kind.SAFETY, status=Status.UNKNOWN, summary=f"not known: {why}", measured=None, expected=0
    )


def _verdict(
    check: str, wrong: "np.ndarray[tuple[int], np.dtype[np.int64]]", samples: int, what: str, name: Callable[[int], str]
) -> Finding:
    """A finding over messages, of which ``wrong`` break the rule."""
    status = Status.FAIL if len(wrong) else (Status.PASS if samples else Status.UNKNOWN)
    summary = f"{len(wrong):,} of {samples:,} {what}" if samples else "no message to look at"
    return Finding(
        check=check,
        kind=Kind.SAFETY,
        status=status,
        summary=summary,
        measured=len(wrong),
        expected=0,
        samples=samples,
        confidence=loss_bound(samples) if status is Status.PASS else "",
        examples=tuple(name(int(message)) for message in wrong[:EXAMPLES]),
    )


def _ledger(evidence: Evidence) -> Finding:
    """Every planned message was posted and acknowledged, except where what was broken excuses it: without the database, or
    on a server that is gone, a post cannot succeed. Redis excuses nothing."""
    outcome = evidence.outcome
    excused = int((excusable(evidence) & np.isin(outcome, (REJECTED, INDETERMINATE))).sum())
    unsent, rejected = int((outcome == UNSENT).sum()), int((outcome == REJECTED).sum())
    indeterminate, acknowledged = int((outcome == INDETERMINATE).sum()), int((outcome == ACKNOWLEDGED).sum())
    total = len(outcome)
    status = Status.PASS
    if unsent or not evidence.complete:
        status = Status.UNKNOWN
    elif rejected + indeterminate > excused:
        status = Status.FAIL
    remark = f"; {excused:,} of them fell into the outage" if excused else ""
    return Finding(
        check="ledger",
        kind=Kind.SAFETY,
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
    """Which posts may fail: on their way at any moment between the beginning of an outage of PostgreSQL or of servers and
    two seconds after its end."""
    found = np.zeros(len(evidence.outcome), np.bool_)
    posts = evidence.recording.posts
    if len(posts) != len(found):
        return found
    until_ns = np.maximum(posts["answered_ns"], posts["intended_ns"] + ANSWER_NS)
    for outage in evidence.outages:
        if outage.begun_ns and outage.fault.target in (Target.DATABASE, Target.SERVER, Target.SERVERS):
            end_ns = outage.back_ns + GRACE_NS if outage.back_ns else np.iinfo(np.int64).max
            found |= (until_ns >= outage.begun_ns) & (posts["intended_ns"] <= end_ns)
    return found


def _acknowledged_not_stored(evidence: Evidence) -> Finding:
    assert evidence.stored_seq is not None
    acknowledged = evidence.outcome == ACKNOWLEDGED
    wrong = np.flatnonzero(acknowledged & (evidence.stored_seq == 0))
    return _verdict(
        "acknowledged-not-stored",
        wrong,
        int(acknowledged.sum()),
        "acknowledged messages are not in the database",
        lambda message: f"message {message}, acknowledged as seq {evidence.seq[message]}",
    )


def _delivered_not_stored(evidence: Evidence, account: Account) -> Finding:
    assert evidence.stored_seq is not None
    delivered = account.delivered > 0
    wrong = np.flatnonzero(delivered & (evidence.stored_seq == 0))
    return _verdict(
        "delivered-not-stored",
        wrong,
        int(delivered.sum()),
        "delivered messages are not in the database",
        lambda message: f"message {message}, delivered to {account.delivered[message]:,} clients",
    )


def _gapless(evidence: Evidence, tally: Tally) -> Finding:
    """In each channel the database holds seq 1, 2, 3 …, each message once and whole, and whoever named a seq named that."""
    stored = evidence.recording.stored
    assert stored is not None
    assert evidence.stored_seq is not None
    problems: list[str] = []
    order = np.lexsort((stored["seq"], stored["channel"]))
    channel, seq = stored["channel"][order], stored["seq"][order]
    starts = np.r_[True, channel[1:] != channel[:-1]] if len(channel) else np.empty(0, np.bool_)
    expected = np.arange(len(seq)) - np.maximum.accumulate(np.where(starts, np.arange(len(seq)), 0)) + 1
    gaps = np.flatnonzero(seq != expected)
    problems += [f"channel {channel[i]}: expected seq {expected[i]}, found {seq[i]}" for i in gaps[:EXAMPLES]]
    unsound = int((stored["flaw"] != SOUND).sum())
    if unsound:
        problems.append(f"{unsound:,} stored messages are not what was posted")
    named = evidence.stored_seq[stored["message"][stored["message"] >= 0]]
    twice = len(named) - len(np.unique(stored["message"][stored["message"] >= 0]))
    if twice:
        problems.append(f"{twice:,} messages are stored more than once")
    acknowledged = (evidence.outcome == ACKNOWLEDGED) & (evidence.stored_seq > 0)
    differs = np.flatnonzero(acknowledged & (evidence.stored_seq != evidence.recording.posts["seq"]))
    problems += [
        f"message {m}: acknowledged as seq {evidence.seq[m]}, stored as seq {evidence.stored_seq[m]}"
        for m in differs[:EXAMPLES]
    ]
    if tally.misnumbered and not tally.duplicates_visible.total():
        problems.append(f"{tally.misnumbered:,} deliveries carried another seq than the acknowledged one")
    count = len(gaps) + unsound + twice + len(differs) + (0 if tally.duplicates_visible.total() else tally.misnumbered)
    status = Status.FAIL if count else (Status.PASS if len(stored) else Status.UNKNOWN)
    summary = f"{len(stored):,} stored messages in {len(np.unique(channel)):,} channels, " + (
        f"{count:,} of them out of line" if count else "numbered 1, 2, 3 … without a gap, as acknowledged"
    )
    return Finding(
        check="seq-gapless",
        kind=Kind.SAFETY,
        status=status,
        summary=summary if len(stored) else "the database holds no message of this run",
        measured=count,
        expected=0,
        samples=len(stored),
        examples=tuple(problems[:EXAMPLES]),
    )


def _commit_order(evidence: Evidence) -> Finding:
    """DB-first: nothing is published, and no answer given, before COMMIT was confirmed."""
    trace = evidence.trace
    if trace is None:
        return _undecided("commit-order", "the servers' traces were not collected")
    traced = trace.accepted > 0
    answered = np.zeros(len(traced), np.int64)
    if len(evidence.recording.posts) == len(traced):
        answered = evidence.recording.posts["answered_ns"].astype(np.int64)
    acknowledged = evidence.outcome == ACKNOWLEDGED
    uncommitted = traced & (trace.committed == 0)
    early_answer = traced & acknowledged & (answered < trace.committed) & evidence.one_clock
    early_publication = traced & (trace.published > 0) & (trace.published < trace.committed)
    # Over the backplane: what a server reads from the database is committed, however late its COMMIT is confirmed.
    arrived_ns = np.min(trace.received, axis=0, where=trace.live, initial=np.iinfo(np.int64).max)
    early_arrival = traced & (arrived_ns < trace.committed)
    wrong = np.flatnonzero(uncommitted | early_answer | early_publication | early_arrival)
    if evidence.plan.write_path != "db-first":
        return _undecided("commit-order", f"not asked of write path {evidence.plan.write_path}")

    def name(message: int) -> str:
        reasons = {
            "never committed": uncommitted[message],
            "answered before COMMIT": early_answer[message],
            "published before COMMIT": early_publication[message],
            "on another server before COMMIT": early_arrival[message],
        }
        return f"message {message}: {', '.join(reason for reason, true in reasons.items() if true)}"

    finding = _verdict(
        "commit-order",
        wrong,
        int(traced.sum()),
        "traced messages were answered or published before they were committed",
        name,
    )
    missing = acknowledged & ~traced
    gone = missing & _gone_with_their_server(evidence)
    untraced = int((missing & ~gone).sum())
    if gone.any():
        finding = replace(finding, summary=f"{finding.summary}; the trace of {int(gone.sum()):,} went with its server")
    if untraced and finding.status is Status.PASS:
        summary = f"{finding.summary}; {untraced:,} acknowledged messages are in no server's trace"
        finding = replace(finding, status=Status.UNKNOWN, summary=summary)
    return finding


def _gone_with_their_server(evidence: Evidence) -> Bools:
    """Messages accepted by a server before it was ended on purpose: its trace was in its memory."""
    found = np.zeros(len(evidence.outcome), np.bool_)
    posts = evidence.recording.posts
    if len(posts) != len(found):
        return found
    for outage in evidence.outages:
        if outage.fault.kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART):
            mine = np.isin(posts["server"], broken_servers((outage.fault,)))
            found |= mine & (posts["sent_ns"] <= outage.done_ns)
    return found
