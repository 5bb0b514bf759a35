"""Did the architecture survive the faults, and did it recover by itself? Only for runs with faults."""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.disturbance import broken_servers, unlinked_servers
from harness.checks.evidence.evidence import slice_s
from harness.checks.evidence.sessions import NEVER
from harness.checks.evidence.tally import EXAMPLES
from harness.checks.run.outage_scope import ENDING, during_outage, not_slower, where_hit
from harness.checks.run.recovery import Span, acknowledgement_ns, span
from harness.checks.statistics.distribution import Distribution
from harness.model.backplane import BACKPLANES, Links
from harness.model.fault import CARRIERS, FaultKind, Target
from harness.model.finding import Bias, Kind, Status
from harness.model.plan import Plan
from harness.recording.format import ACKNOWLEDGED, DOWN, SUBSCRIBED

PLANTED = "tests/harness/checks/run/test_resilience.py::"
# A convention (docs/results.md says why).
BACKFILL_LIMIT_S = 10.0


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
    width_ns = slice_s(evidence.plan) * 1_000_000_000
    second = evidence.intended_ns[during & (evidence.outcome == ACKNOWLEDGED)] // width_ns
    calm_ns, during_ns = acknowledgement_ns(evidence, before), acknowledgement_ns(evidence, during)
    return not_slower(
        "acknowledgement latency",
        Distribution.of(calm_ns),
        Distribution.of(during_ns, (second - second.min(initial=NEVER))[: len(during_ns)]),
        messages=(len(calm_ns), len(during_ns)),
    )


def _resubscribed(case: Case, outage: Span) -> Answer:
    """Every server ends subscribed to the backplane, and noticed when its connection was cut: a server that is ready
    may still receive no messages."""
    evidence, plan = case.evidence, case.evidence.plan
    states = evidence.recording.backplane
    if not _has_connections(plan):
        return Answer(
            status=Status.UNKNOWN, summary="not known: the backplane keeps no connection", expected=plan.servers
        )
    problems, missing, open_ = [], [], []
    for index in range(plan.servers):
        name = f"server-{index + 1}"
        if index not in states:
            missing.append(name)
        elif problem := _not_subscribed(states[index], started_again=index in _started_again(plan)):
            problems.append(f"{name} {problem}")
        elif (noticed := _noticed(case, outage, index)) is None:
            open_.append(name)
        elif not noticed:
            problems.append(f"{name} never noticed that its connection was cut")
    if (missing or open_) and not problems:
        reasons = [f"{', '.join(missing)} recorded no state of the backplane connection"] if missing else []
        if open_:
            reasons.append(f"the clocks of {', '.join(open_)} cannot be compared closely enough with the fault's times")
        known = plan.servers - len(missing) - len(open_)
        summary = f"not known: {'; '.join(reasons)}"
        return Answer(status=Status.UNKNOWN, summary=summary, measured=known, expected=plan.servers)
    return Answer(
        status=Status.FAIL if problems else Status.PASS,
        summary="; ".join(problems) or f"all {plan.servers} servers are subscribed to every channel again",
        measured=len(problems),
        expected=0,
        samples=len(states),
        examples=tuple(problems[:EXAMPLES]),
    )


def _not_subscribed(rows: "np.ndarray[tuple[int, ...], np.dtype[np.void]]", *, started_again: bool) -> str:
    """The problem of the last state in a server's trace; empty if there is none. It needs no comparison of clocks."""
    subscribed, downs = (np.flatnonzero(rows["state"] == state) for state in (SUBSCRIBED, DOWN))
    if not len(subscribed):
        return "never subscribed after it was started again" if started_again else "never subscribed"
    return "did not subscribe again" if len(downs) and downs[-1] > subscribed[-1] else ""


def _started_again(plan: Plan) -> list[int]:
    """Servers that a fault ended: their traces begin again."""
    return broken_servers([fault for fault in plan.faults if fault.kind in ENDING])


def _noticed(case: Case, outage: Span, index: int) -> bool | None:
    """Whether a server noticed that the end of the broker, or of its link, cut its connection; None where its clock leaves
    that open."""
    evidence, plan = case.evidence, case.evidence.plan
    rows, clocks = evidence.recording.backplane[index], evidence.clocks
    ending = [fault for fault in plan.faults if fault.kind in ENDING]
    cut = any(fault.target is Target.BROKER for fault in ending) or index in unlinked_servers(ending)
    if not cut or index in broken_servers(plan.faults):
        return True
    begin = np.array([outage.begin_ns])
    since = clocks.elapsed_ns(begin, clocks.coordinator, rows["at_ns"], int(evidence.server_host[index]))
    downs = rows["state"] == DOWN
    if (downs & (since.low >= 0)).any():
        return True
    return None if since.open.any() else False


def _has_connections(plan: Plan) -> bool:
    """Whether servers are connected to a broker, to the database or to each other, and so may lose a connection."""
    backplane = BACKPLANES.find(plan.backplane)
    return backplane is not None and (backplane.broker is not None or backplane.links is not Links.NONE)


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
        moment = "the re-broadcast was requested"
    when = f"{since_s:.2f} s after" if since_s >= 0 else f"{-since_s:.2f} s before"
    return Answer(
        status=Status.PASS if since_s < BACKFILL_LIMIT_S else Status.FAIL,
        summary=f"the last of {count:,} deliveries that the fault disturbed arrived {when} {moment}",
        measured={"after_s": since_s},
        expected=expected,
        samples=case.tally.timings.recovered.messages or 0,
        pairs=count,
    )


def _filled_on_request(case: Case, outage: Span) -> Answer:
    """With manual recovery no server reads missing messages from the database before the re-broadcast is asked for."""
    evidence = case.evidence
    asked = evidence.recording.event("rebroadcast")
    trace, disturbed, clocks = evidence.trace, evidence.disturbance, evidence.clocks
    if asked is None or trace is None or disturbed is None:
        summary = "not known: no re-broadcast was requested, or the servers' traces are missing"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=0)
    recovered = (trace.received > 0) & ~trace.live & disturbed.window
    since = clocks.elapsed_ns(
        np.array([int(asked["at_ns"])]), clocks.coordinator, trace.received, evidence.server_host[:, None]
    )
    count, total = int((recovered & (since.high < 0)).sum()), int(recovered.sum())
    open_ = int((recovered & since.open).sum())
    status = Status.FAIL if count else Status.PASS if total and not open_ else Status.UNKNOWN
    summary = f"{count:,} of {total:,} messages were filled in before the re-broadcast was requested"
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
        applies=where_hit(*CARRIERS, Target.CLIENTS, restart=False),
        needs=(Need.LEDGER, Need.EVENTS),
        red_when=(
            "the P99 of acknowledgements during the outage is more than 1.2 times the P99 before it, and more than 5"
            " ms above it; a few hundred posts on a shared machine cannot show a smaller difference. 95 % intervals "
            "decide. PASS: the upper end during the outage is within the limit that the lower end before it sets. "
            "Without an upper end the largest value counts, so an outage of a few seconds passes only if no "
            "acknowledgement took longer. FAIL: the lower end during the outage is beyond the limit that the upper "
            "end before it sets. An outage of fewer than six seconds has no lower end. Else UNKNOWN, also with fewer"
            " than 299 acknowledged posts before or during it: 0.99²⁹⁹ < 0.05. Does not apply to a restart"
        ),
        what_to_do="nothing between COMMIT and the answer may wait for the broker",
        planted_bug=f"{PLANTED}test_slow_acknowledgements_during_the_outage_are_red",
    ),
    Check(
        name="resubscribed",
        kind=Kind.SAFETY,
        function=during_outage(_resubscribed),
        applies=where_hit(*CARRIERS, Target.SERVER, Target.SERVERS),
        needs=(Need.BACKPLANE, Need.EVENTS),
        red_when="after an outage a server is not subscribed to every channel of the backplane, a server that was "
        "started again never subscribed, or a server never noticed that a stopped broker had cut its connection, or "
        "that its link was cut",
        what_to_do="that server's log; its `backplane` trace",
        planted_bug=f"{PLANTED}test_a_server_that_never_subscribes_again_is_red",
    ),
    Check(
        name="backfilled",
        kind=Kind.PERFORMANCE,
        function=during_outage(_backfilled),
        applies=where_hit(*CARRIERS, Target.DATABASE, Target.SERVER, Target.SERVERS),
        needs=(Need.DELIVERIES, Need.EVENTS),
        red_when=(
            "the last delivery that the fault disturbed came 10 s or later after the broken component was back, or "
            "after the re-broadcast was requested. UNKNOWN if nothing was recovered"
        ),
        what_to_do="the server's comparison of positions with the database",
        planted_bug=f"{PLANTED}test_a_backfill_that_takes_too_long_is_red",
    ),
    Check(
        name="filled-on-request",
        kind=Kind.SAFETY,
        function=during_outage(_filled_on_request),
        applies=_manual,
        needs=(Need.TRACES, Need.EVENTS),
        red_when=(
            "with `--recovery manual` a server read missing messages from the database before the re-broadcast was "
            "requested"
        ),
        what_to_do="the server's setting `recovery`",
        planted_bug=f"{PLANTED}test_filling_in_before_the_request_is_red",
    ),
)
