"""Did the architecture survive the faults, and did it come back by itself? Asked of runs with faults only."""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.disturbance import NEVER, broken_servers
from harness.checks.evidence.evidence import Bools
from harness.checks.evidence.tally import EXAMPLES
from harness.checks.run.outage_scope import PLANTED, during_outage, not_slower, where_hit
from harness.checks.run.recovery import Span, acknowledgement_ns, span
from harness.checks.statistics.distribution import Distribution
from harness.model.backplane import BACKPLANES
from harness.model.fault import FaultKind, Target
from harness.model.finding import Bias, Kind, Status
from harness.model.plan import Plan
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED

ENDING = (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART)
"""the faults that cut the connections of what they hit"""

# Conventions (docs/results.md says why each).
CLOSED_BY_WORKER = 1000
BACKFILL_LIMIT_S = 10.0
REFUSAL_LIMIT_S = 10.0
"""The server's time-out of 5 s for a statement, one second more, 2 s to connect, and room for a busy machine."""


def _injected(case: Case) -> Answer:
    """Every fault of the plan was injected and healed, and messages were due meanwhile."""
    evidence = case.evidence
    outage = span(evidence)
    times = [fault.times for fault in evidence.faults if fault.times is not None]
    done = sum(one.done_ns is not None and one.back_ns is not None for one in times)
    planned = len(evidence.plan.faults)
    during = int((evidence.measured & outage.holds(evidence.intended_ns)).sum()) if outage else 0
    restart_only = all(fault.kind is FaultKind.RESTART for fault in evidence.plan.faults)
    good = done == planned and (during > 0 or restart_only)
    return Answer(
        status=Status.PASS if good else Status.UNKNOWN,
        summary=f"{done} of {planned} faults were injected and healed; {during:,} messages were due meanwhile",
        measured={"faults": done, "messages": during},
        expected={"faults": planned, "messages_above": 0},
        samples=planned,
    )


def _acknowledgements(case: Case, outage: Span) -> Answer:
    """An outage of the broker slows no acknowledgement."""
    evidence = case.evidence
    during = evidence.measured & outage.holds(evidence.intended_ns)
    before = evidence.measured & (evidence.intended_ns < outage.begin_ns)
    second = evidence.intended_ns[during & (evidence.outcome == ACKNOWLEDGED)] // 1_000_000_000
    return not_slower(
        "acknowledgement latency",
        Distribution.of(acknowledgement_ns(evidence, before)),
        Distribution.of(acknowledgement_ns(evidence, during), second - second.min(initial=NEVER)),
        seed=evidence.plan.seed,
    )


def _resubscribed(case: Case, outage: Span) -> Answer:
    """Every server ends subscribed to the backplane, and noticed when its connection was cut: a server that is ready may
    still receive nothing."""
    evidence, plan = case.evidence, case.evidence.plan
    states, clocks = evidence.recording.backplane, evidence.clocks
    if not _has_broker(plan) or len(states) < plan.servers:
        summary = f"not known: {len(states)} of {plan.servers} servers recorded the state of their backplane connection"
        return Answer(status=Status.UNKNOWN, summary=summary, measured=len(states), expected=plan.servers)
    cut = any(fault.target is Target.BROKER and fault.kind in ENDING for fault in plan.faults)
    begin = np.array([outage.begin_ns])
    problems, open_ = [], []
    for index, rows in sorted(states.items()):
        name = f"server-{index + 1}"
        since = clocks.elapsed_ns(begin, clocks.coordinator, rows["at_ns"], int(evidence.server_host[index]))
        if since.open.any():
            open_.append(name)
            continue
        after = rows[since.low >= 0]
        downs, ups = (np.flatnonzero(after["state"] == state) for state in (DOWN, SUBSCRIBED))
        if cut and not len(downs) and index not in broken_servers(plan.faults):
            problems.append(f"{name} never noticed that its connection was cut")
        elif len(downs) and (not len(ups) or ups[-1] < downs[-1]):
            problems.append(f"{name} did not subscribe again")
    if open_ and not problems:
        summary = (
            f"not known: the clocks of {', '.join(open_)} cannot be compared closely enough with the fault's times"
        )
        return Answer(status=Status.UNKNOWN, summary=summary, measured=len(states) - len(open_), expected=len(states))
    return Answer(
        status=Status.FAIL if problems else Status.PASS,
        summary="; ".join(problems) or f"all {plan.servers} servers are subscribed to every channel again",
        measured=len(problems),
        expected=0,
        samples=len(states),
        examples=tuple(problems[:EXAMPLES]),
    )


def _has_broker(plan: Plan) -> bool:
    backplane = BACKPLANES.find(plan.backplane)
    return backplane is not None and backplane.broker is not None


def _backfilled(case: Case, outage: Span) -> Answer:
    """Missing deliveries came soon after the broken component was back, or after the re-broadcast was asked for."""
    expected = {"after_s_below": BACKFILL_LIMIT_S}
    recovery = case.measured.recovery
    count = case.tally.timings.disturbed_count
    since_s = recovery.backfilled_s if recovery else None
    if recovery is None or not count or since_s is None:
        summary = "not known: nothing was recovered"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected)
    moment = "the broken component was back"
    if recovery.rebroadcast is not None:
        back_s = recovery.on_axis_s(outage.end_ns) or 0.0
        since_s = round(since_s - (recovery.rebroadcast.asked_s - back_s), 3)
        moment = "the re-broadcast was asked for"
    when = f"{since_s:.2f} s after" if since_s >= 0 else f"{-since_s:.2f} s before"
    return Answer(
        status=Status.PASS if since_s < BACKFILL_LIMIT_S else Status.FAIL,
        summary=f"the last of {count:,} deliveries that the fault disturbed arrived {when} {moment}",
        measured={"after_s": since_s},
        expected=expected,
        samples=count,
    )


def _reconnected(case: Case, outage: Span) -> Answer:
    """Every client that lost its connection was subscribed again at the end."""
    evidence = case.evidence
    left = 0
    for seen in evidence.recording.seen.values():
        sessions = seen.sessions
        order = np.lexsort((sessions["ended_ns"], sessions["client"]))
        last = order[np.flatnonzero(np.r_[np.diff(sessions["client"][order].astype(np.int64)) != 0, True])]
        # The load worker closes open connections at the end; a killed worker leaves them open.
        away = (sessions["subscribed_ns"][last] == 0) | ~np.isin(sessions["close_code"][last], (0, CLOSED_BY_WORKER))
        left += int(away.sum())
    moved = case.measured.recovery.reconnected if case.measured.recovery else None
    count = moved.clients if moved else 0
    summary = f"{left:,} clients were not subscribed at the end" if left else "every client was subscribed at the end"
    if moved and count and not left:
        summary = f"all {count:,} clients that lost their connection resumed, the slowest within {moved.last_s} s"
    status = Status.UNKNOWN if not evidence.recording.seen else Status.FAIL if left else Status.PASS
    measured = {"left": left, "reconnected": count}
    return Answer(status=status, summary=summary, measured=measured, expected={"left": 0}, samples=count)


def _clean_refusal(case: Case, outage: Span) -> Answer:
    """Without the database every post gets an answer in bounded time: refused, or outcome unknown."""
    evidence = case.evidence
    posts = evidence.recording.posts
    expected = {"without_answer": 0, "slowest_s_below": REFUSAL_LIMIT_S}
    due: Bools = outage.holds(evidence.intended_ns)
    if len(posts) != len(due) or not due.any():
        summary = "not known: no post was due meanwhile"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected)
    failed = np.isin(evidence.outcome, (REJECTED, INDETERMINATE))
    silent = np.flatnonzero((failed | due) & (posts["http_status"] == 0))
    answered = (failed | due) & (posts["http_status"] > 0)
    slowest_s = float((posts["answered_ns"] - posts["sent_ns"])[answered].max(initial=0)) / 1e9
    good = not len(silent) and slowest_s < REFUSAL_LIMIT_S
    return Answer(
        status=Status.PASS if good else Status.FAIL,
        summary=f"of {int(due.sum()):,} posts that were due without the database {int((failed & due).sum()):,} were "
        f"refused; "
        f"the slowest answer took {slowest_s:.1f} s, {len(silent):,} got none",
        measured={"without_answer": len(silent), "slowest_s": round(slowest_s, 3)},
        expected=expected,
        samples=int(due.sum()),
        examples=tuple(f"message {message} got no answer" for message in silent[:EXAMPLES]),
    )


def _filled_on_request(case: Case, outage: Span) -> Answer:
    """With manual recovery no server reads missing messages from the database before the re-broadcast is asked for."""
    evidence = case.evidence
    asked = evidence.recording.event("rebroadcast")
    trace, disturbed, clocks = evidence.trace, evidence.disturbance, evidence.clocks
    if asked is None or trace is None or disturbed is None:
        summary = "not known: no re-broadcast was asked for, or the servers' traces are missing"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=0)
    recovered = (trace.received > 0) & ~trace.live & disturbed.window
    since = clocks.elapsed_ns(
        np.array([int(asked["at_ns"])]), clocks.coordinator, trace.received, evidence.server_host[:, None]
    )
    count, total = int((recovered & (since.high < 0)).sum()), int(recovered.sum())
    open_ = int((recovered & since.open).sum())
    status = Status.FAIL if count else Status.PASS if total and not open_ else Status.UNKNOWN
    summary = f"{count:,} of {total:,} messages were filled in before the re-broadcast was asked for"
    if not total:
        summary = "nothing was filled in"
    elif open_ and not count:
        summary = f"not known for {open_:,} of {total:,} messages: the clocks cannot be compared closely enough"
    return Answer(status=status, summary=summary, measured=count, expected=0, samples=total)


def _manual(case: Case) -> bool:
    plan = case.evidence.plan
    return bool(case.evidence.outages) and plan.recovery == "manual" and case.evidence.owns_servers


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="fault-injected",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_injected,
        applies=lambda case: bool(case.evidence.plan.faults),
        needs=(Need.EVENTS,),
        red_when="a fault of the plan was not injected or not healed, or no message was due meanwhile",
        what_to_do="the run's events and logs",
        planted_bug=f"{PLANTED}test_a_fault_that_was_not_undone_proves_nothing",
    ),
    Check(
        name="ack-during-outage",
        kind=Kind.PERFORMANCE,
        compares_ratio=True,
        function=during_outage(_acknowledgements),
        applies=where_hit(Target.BROKER, Target.CLIENTS, restart=False),
        needs=(Need.LEDGER, Need.EVENTS),
        red_when="the P99 of acknowledgements during the outage is more than 1.2 times the P99 before it, and more "
        "than 5 ms "
        "above it: a few hundred posts on a shared machine do not show less. From five seconds on a FAIL also needs "
        "the lower "
        "end of its 95 % interval beyond the limit, which one hiccup does not move; else it is UNKNOWN. Not asked of "
        "a restart",
        what_to_do="nothing between COMMIT and the answer may wait for the broker",
        planted_bug=f"{PLANTED}test_slow_acknowledgements_during_the_outage_are_red",
    ),
    Check(
        name="resubscribed",
        kind=Kind.SAFETY,
        function=during_outage(_resubscribed),
        applies=where_hit(Target.BROKER, Target.SERVER, Target.SERVERS),
        needs=(Need.BACKPLANE, Need.EVENTS),
        red_when="after an outage a server is not subscribed to every channel of the backplane, or it never noticed that a "
        "stopped broker had cut its connection",
        what_to_do="that server's log; its `backplane` trace",
        planted_bug=f"{PLANTED}test_a_server_that_stays_deaf_is_red",
    ),
    Check(
        name="backfilled",
        kind=Kind.PERFORMANCE,
        function=during_outage(_backfilled),
        applies=where_hit(Target.BROKER, Target.DATABASE, Target.SERVER, Target.SERVERS),
        needs=(Need.DELIVERIES, Need.EVENTS),
        red_when="the last delivery that the fault disturbed came 10 s or later after the broken component was back, "
        "or after "
        "the re-broadcast was asked for. UNKNOWN when nothing was recovered",
        what_to_do="the server's comparison of positions with the database",
        planted_bug=f"{PLANTED}test_a_backfill_that_takes_too_long_is_red",
    ),
    Check(
        name="reconnected",
        kind=Kind.SAFETY,
        function=during_outage(_reconnected),
        applies=where_hit(Target.SERVER, Target.SERVERS, Target.CLIENTS),
        needs=(Need.SESSIONS, Need.EVENTS),
        red_when="a client that lost its connection was not subscribed again at the end",
        what_to_do="the load worker's log; `/readyz` of the servers",
        planted_bug=f"{PLANTED}test_a_client_that_does_not_come_back_is_red",
    ),
    Check(
        name="clean-refusal",
        kind=Kind.SAFETY,
        function=during_outage(_clean_refusal),
        applies=where_hit(Target.DATABASE),
        needs=(Need.LEDGER, Need.EVENTS),
        red_when="without the database a post got no answer, or an answer that took 10 s or longer: the server's "
        "time-out of "
        "5 s for a statement, one second more, 2 s to connect, and room for a busy machine",
        what_to_do="the write path's time-outs",
        planted_bug=f"{PLANTED}test_posts_that_hang_are_red",
    ),
    Check(
        name="filled-on-request",
        kind=Kind.SAFETY,
        function=during_outage(_filled_on_request),
        applies=_manual,
        needs=(Need.TRACES, Need.EVENTS),
        red_when="with `--recovery manual` a server read missing messages from the database before the re-broadcast "
        "was asked "
        "for",
        what_to_do="the server's setting `recovery`",
        planted_bug=f"{PLANTED}test_filling_in_before_anybody_asked_is_red",
    ),
)
