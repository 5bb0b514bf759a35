"""Did the architecture bear what was broken, and come back by itself? Asked of runs with faults only."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.checks.evidence.disturbance import NEVER, broken_servers
from harness.checks.evidence.evidence import Bools, Evidence
from harness.checks.evidence.tally import EXAMPLES, Tally
from harness.checks.run.recovery import Span, acknowledgement_ns, span
from harness.checks.statistics.distribution import Distribution
from harness.model.fault import FaultKind, Target
from harness.model.finding import Bias, Finding, Kind, Status
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED

# Conventions (docs/results.md says why each).
SLOWER_AT_MOST = 1.2
CLOSED_BY_US = 1000
RESOLUTION_MS = 5.0
"""Differences below this are not told apart from a shared machine's noise by the few hundred posts of an outage."""
BACKFILL_LIMIT_S = 10.0
REFUSAL_LIMIT_S = 10.0
"""PostgreSQL's own time-out of 5 s, a second more of ours, 2 s to connect, and room for a machine that is busy."""
DEAF_CLIENT_BYTES = 2 * 1_048_576
"""What one client that reads nothing may cost a server: the protocol's limit for what waits, and as much around it."""
DEAF_BASE_BYTES = 64 * 1_048_576


def findings(evidence: Evidence, tally: Tally, figures: Mapping[str, Any]) -> list[Finding]:
    """``figures`` is `recovery.measure`'s."""
    faults = evidence.plan.faults
    if not faults:
        return []
    targets = {fault.target for fault in faults}
    outage = span(evidence)
    found = [_injected(evidence, outage)]
    if outage is None:
        return found
    # A restart is over before there are posts enough to tell a P99.
    if targets & {Target.BROKER, Target.CLIENTS} and any(fault.kind is not FaultKind.RESTART for fault in faults):
        found.append(_acknowledgements(evidence, outage))
    if targets & {Target.BROKER, Target.SERVER, Target.SERVERS}:
        found.append(_resubscribed(evidence, outage))
    if targets - {Target.CLIENTS}:
        found.append(_backfilled(evidence, tally, figures))
    if targets & {Target.SERVER, Target.SERVERS, Target.CLIENTS}:
        found.append(_reconnected(evidence, figures))
    if Target.DATABASE in targets:
        found.append(_clean_refusal(evidence, outage))
    if Target.CLIENTS in targets:
        found += [_bystanders(evidence, tally, outage), _bounded_memory(evidence, outage)]
    if evidence.plan.recovery == "manual" and evidence.plan.environment != "external":
        found.append(_filled_on_request(evidence, outage))
    return found


def _finding(
    check: str, kind: Kind, status: Status, summary: str, measured: Any, expected: Any, *, samples: int = 0, **more: Any
) -> Finding:
    return Finding(
        check=check,
        kind=kind,
        status=status,
        summary=summary,
        measured=measured,
        expected=expected,
        samples=samples,
        **more,
    )


def _injected(evidence: Evidence, outage: Span | None) -> Finding:
    """Everything that was to be broken was broken, healed, and noticed by posts that were due meanwhile."""
    done = sum(bool(one.done_ns and one.back_ns) for one in evidence.outages)
    planned = len(evidence.plan.faults)
    during = int((evidence.measured & outage.holds(evidence.intended_ns)).sum()) if outage else 0
    restart_only = all(fault.kind is FaultKind.RESTART for fault in evidence.plan.faults)
    good = done == planned and (during > 0 or restart_only)
    return _finding(
        "fault-injected",
        Kind.VALIDITY,
        Status.PASS if good else Status.UNKNOWN,
        f"{done} of {planned} faults were done and healed; {during:,} messages were due meanwhile",
        {"faults": done, "messages": during},
        {"faults": planned, "messages_above": 0},
        samples=planned,
        bias=None if good else Bias.OPTIMISTIC,
    )


def _not_slower(
    check: str, what: str, calm: Distribution, during: Distribution, *, seed: int, when: str = "before"
) -> Finding:
    """P99 of ``during`` is at most SLOWER_AT_MOST times that of ``calm``, or RESOLUTION_MS more where that is the larger.
    ``when`` says where ``calm`` lies: before the outage, or around it.

    An outage of a few seconds has a few hundred samples, of which one hiccup of the machine decides the P99. So where it
    has five seconds (the groups of ``during``) or more, FAIL also needs the lower end of the P99's 95 % interval, by block
    bootstrap over them, beyond the limit. A P99 beyond it whose interval is not: hiccup or slowness, nobody knows, UNKNOWN.
    """
    expected: dict[str, Any] = {f"times_p99_{when}_at_most": SLOWER_AT_MOST, "or_more_by_ms": RESOLUTION_MS}
    if not len(calm) or not len(during):
        summary = f"not known: {len(calm):,} {what} {when} the outage, {len(during):,} during it"
        return _finding(check, Kind.PERFORMANCE, Status.UNKNOWN, summary, None, expected)
    old, new = calm.quantiles_ms((0.99,))[0], during.quantiles_ms((0.99,))[0]
    ratio, limit = new / max(old, 0.001), max(SLOWER_AT_MOST * old, old + RESOLUTION_MS)
    summary = f"P99 of {what} is {new:.1f} ms during the outage, {old:.1f} ms {when} it ({ratio:.2f} times)"
    interval = during.interval_ms(0.99, seed=seed)
    surely = new if interval is None else interval[0]
    status = Status.PASS if new <= limit else Status.FAIL if surely > limit else Status.UNKNOWN
    if status is Status.UNKNOWN:
        summary += "; not decided: a few bad seconds may be the machine's"
    return _finding(
        check,
        Kind.PERFORMANCE,
        status,
        summary,
        {f"{when}_p99_ms": old, "during_p99_ms": new, "times": round(ratio, 3)},
        expected,
        samples=len(calm) + len(during),
        confidence="" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f} ms at 95 %, block bootstrap",
    )


def _acknowledgements(evidence: Evidence, outage: Span) -> Finding:
    """Redis away slows no acknowledgement."""
    during = evidence.measured & outage.holds(evidence.intended_ns)
    before = evidence.measured & (evidence.intended_ns < outage.begin_ns)
    second = evidence.intended_ns[during & (evidence.outcome == ACKNOWLEDGED)] // 1_000_000_000
    return _not_slower(
        "ack-during-outage",
        "acknowledgement latency",
        Distribution.of(acknowledgement_ns(evidence, before)),
        Distribution.of(acknowledgement_ns(evidence, during), second - second.min(initial=NEVER)),
        seed=evidence.plan.seed,
    )


def _bystanders(evidence: Evidence, tally: Tally, outage: Span) -> Finding:
    """Clients that read are served as fast while others do not as before and after. By whole seconds of the measured
    window: what slows down before the outage and goes on after it is the machine's doing, not that of the deaf clients.
    """
    origin = evidence.start_ns + int(evidence.plan.warm_up_s * 1e9)
    live = tally.timings.live
    seconds_ns = origin + np.arange(live.groups) * 1_000_000_000
    end_ns = outage.end_ns or np.iinfo(np.int64).max
    # Not the second in which they read again: what was kept for them comes at once.
    calm = (seconds_ns + 1_000_000_000 <= outage.begin_ns) | (seconds_ns - 1_000_000_000 >= end_ns)
    inside = (seconds_ns >= outage.begin_ns) & (seconds_ns + 1_000_000_000 <= end_ns)
    return _not_slower(
        "bystanders",
        "delivery latency of the clients that read",
        live.within(calm),
        live.within(inside),
        seed=evidence.plan.seed,
        when="around",
    )


def _bounded_memory(evidence: Evidence, outage: Span) -> Finding:
    """What clients that do not read cost the servers, from their resident memory."""
    names = [f"server-{number + 1}" for number in range(evidence.plan.servers)]
    totals = [
        (sample["at_ns"], sum(sample["processes"][name]["rss_bytes"] for name in names))
        for sample in evidence.recording.telemetry
        if all(name in sample.get("processes", {}) for name in names)
    ]
    before = [total for at_ns, total in totals if at_ns < outage.begin_ns]
    after = [total for at_ns, total in totals if at_ns >= outage.begin_ns]
    deaf = sum(len(fault.parts) for fault in evidence.plan.faults if fault.target is Target.CLIENTS)
    limit = DEAF_BASE_BYTES + deaf * DEAF_CLIENT_BYTES
    expected = {"growth_bytes_below": limit}
    if not before or not after:
        summary = "not known: the servers' memory was not measured before and during the outage"
        return _finding("bounded-memory", Kind.PERFORMANCE, Status.UNKNOWN, summary, None, expected)
    growth = max(after) - before[-1]
    return _finding(
        "bounded-memory",
        Kind.PERFORMANCE,
        Status.PASS if growth < limit else Status.FAIL,
        f"{deaf} clients that read nothing cost the servers {growth / 1e6:.1f} MB together",
        {"growth_bytes": growth},
        expected,
        samples=len(totals),
    )


def _resubscribed(evidence: Evidence, outage: Span) -> Finding:
    """Every server's way in from the backplane ends subscribed, and a cut connection was noticed: a server that looks
    alive may be deaf."""
    check, states = "resubscribed", evidence.recording.backplane
    plan = evidence.plan
    cut = any(
        f.target is Target.BROKER and f.kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.RESTART) for f in plan.faults
    )
    if plan.backplane != "redis" or len(states) < plan.servers or not evidence.one_clock:
        summary = f"not known: {len(states)} of {plan.servers} servers told what became of their backplane"
        return _finding(check, Kind.SAFETY, Status.UNKNOWN, summary, len(states), plan.servers)
    problems = []
    for index, rows in sorted(states.items()):
        name = f"server-{index + 1}"
        after = rows[rows["at_ns"] >= outage.begin_ns]
        downs, ups = (np.flatnonzero(after["state"] == state) for state in (DOWN, SUBSCRIBED))
        if cut and not len(downs) and index not in broken_servers(plan.faults):
            problems.append(f"{name} never noticed that its connection was cut")
        elif len(downs) and (not len(ups) or ups[-1] < downs[-1]):
            problems.append(f"{name} did not subscribe again")
    return _finding(
        check,
        Kind.SAFETY,
        Status.FAIL if problems else Status.PASS,
        "; ".join(problems) or f"all {plan.servers} servers hear every channel again",
        len(problems),
        0,
        samples=len(states),
        examples=tuple(problems[:EXAMPLES]),
    )


def _backfilled(evidence: Evidence, tally: Tally, figures: Mapping[str, Any]) -> Finding:
    """What was missed came soon after the broken part was back, or after somebody asked for it."""
    expected = {"after_s_below": BACKFILL_LIMIT_S}
    count = tally.timings.disturbed_count
    since_s = figures.get("backfilled_s")
    asked = figures.get("rebroadcast", {})
    if not count or since_s is None:
        summary = "nothing was recovered, so nobody knows how long it takes"
        return _finding("backfilled", Kind.PERFORMANCE, Status.UNKNOWN, summary, None, expected)
    moment = "the broken part was back"
    if asked:
        back_s = max((fault.get("back_s", 0.0) for fault in figures.get("faults", [])), default=0.0)
        since_s = round(since_s - (asked["asked_s"] - back_s), 3)
        moment = "the re-broadcast was asked for"
    when = f"{since_s:.2f} s after" if since_s >= 0 else f"{-since_s:.2f} s before"
    return _finding(
        "backfilled",
        Kind.PERFORMANCE,
        Status.PASS if since_s < BACKFILL_LIMIT_S else Status.FAIL,
        f"the last of {count:,} deliveries that the fault held up arrived {when} {moment}",
        {"after_s": since_s},
        expected,
        samples=count,
    )


def _reconnected(evidence: Evidence, figures: Mapping[str, Any]) -> Finding:
    """Every client that lost its connection was subscribed again at the end."""
    left = 0
    for seen in evidence.recording.seen.values():
        sessions = seen.sessions
        order = np.lexsort((sessions["ended_ns"], sessions["client"]))
        last = order[np.flatnonzero(np.r_[np.diff(sessions["client"][order].astype(np.int64)) != 0, True])]
        # The load worker closes what stands at the end; a killed one leaves it open.
        away = (sessions["subscribed_ns"][last] == 0) | ~np.isin(sessions["close_code"][last], (0, CLOSED_BY_US))
        left += int(away.sum())
    moved = figures.get("reconnected", {})
    count = int(moved.get("clients", 0))
    summary = f"{left:,} clients were not subscribed at the end" if left else "every client was subscribed at the end"
    if count and not left:
        summary = (
            f"all {count:,} clients that lost their connection resumed, the slowest within {moved.get('last_s')} s"
        )
    status = Status.UNKNOWN if not evidence.recording.seen else Status.FAIL if left else Status.PASS
    return _finding(
        "reconnected", Kind.SAFETY, status, summary, {"left": left, "reconnected": count}, {"left": 0}, samples=count
    )


def _clean_refusal(evidence: Evidence, outage: Span) -> Finding:
    """With PostgreSQL away every post is refused, or named as of unknown outcome, by an answer within a bounded time."""
    posts = evidence.recording.posts
    expected = {"without_answer": 0, "slowest_s_below": REFUSAL_LIMIT_S}
    due: Bools = outage.holds(evidence.intended_ns)
    if len(posts) != len(due) or not due.any():
        summary = "no post was due meanwhile: nobody knows how refusals look"
        return _finding("clean-refusal", Kind.SAFETY, Status.UNKNOWN, summary, None, expected)
    failed = np.isin(evidence.outcome, (REJECTED, INDETERMINATE))
    silent = np.flatnonzero((failed | due) & (posts["http_status"] == 0))
    answered = (failed | due) & (posts["http_status"] > 0)
    slowest_s = float((posts["answered_ns"] - posts["sent_ns"])[answered].max(initial=0)) / 1e9
    good = not len(silent) and slowest_s < REFUSAL_LIMIT_S
    return _finding(
        "clean-refusal",
        Kind.SAFETY,
        Status.PASS if good else Status.FAIL,
        f"of {int(due.sum()):,} posts that were due without the database {int((failed & due).sum()):,} were refused; "
        f"the slowest answer took {slowest_s:.1f} s, {len(silent):,} got none",
        {"without_answer": len(silent), "slowest_s": round(slowest_s, 3)},
        expected,
        samples=int(due.sum()),
        examples=tuple(f"message {message} got no answer" for message in silent[:EXAMPLES]),
    )


def _filled_on_request(evidence: Evidence, outage: Span) -> Finding:
    """With manual recovery nothing is read from the database before somebody asks for it."""
    asked = evidence.recording.event("rebroadcast")
    trace, disturbed = evidence.trace, evidence.disturbance
    if asked is None or trace is None or disturbed is None or not evidence.one_clock:
        summary = "not known: no re-broadcast was asked for, or the servers' traces are missing"
        return _finding("filled-on-request", Kind.SAFETY, Status.UNKNOWN, summary, None, 0)
    recovered = (trace.received > 0) & ~trace.live & disturbed.window
    early = recovered & (trace.received < int(asked["at_ns"]))
    count, total = int(early.sum()), int(recovered.sum())
    status = Status.FAIL if count else Status.PASS if total else Status.UNKNOWN
    summary = (
        f"{count:,} of {total:,} messages were filled in before anybody asked" if total else "nothing was filled in"
    )
    return _finding("filled-on-request", Kind.SAFETY, status, summary, count, 0, samples=total)
