"""Can this measurement be trusted? The load generator and the machine may falsify figures; a bias names the
direction."""

from dataclasses import replace

import numpy as np

from harness.checks.check import Answer, Case, Check, Need, below_limit
from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.host_clocks import UNKNOWN_NS
from harness.checks.evidence.loop_lag import loop_lag
from harness.checks.statistics.interval import P99_MESSAGES_AT_LEAST
from harness.model.finding import Bias, Kind, Status
from harness.model.measurements.percentiles import Percentiles

PLANTED = "tests/harness/checks/run/test_validity.py::"

# Conventions, fixed before the first run was judged by them (docs/results.md says why each).
SEND_LATE_P99_LIMIT_MS = 5.0
LOOP_LAG_P99_LIMIT_MS = 10.0
HEARTBEAT_SHARE_AT_LEAST = 0.99
"""Of the window that a worker's heartbeats cover: the missing part could hold the whole slowest hundredth."""
RATE_SHARE_AT_LEAST = 0.99
CLOCK_BOUND_LIMIT_NS = 1_000_000
"""A hundredth of the latency budget."""


def _completeness(case: Case) -> Answer:
    evidence = case.evidence
    return Answer(
        status=Status.PASS if evidence.complete else Status.UNKNOWN,
        summary="the run came to its planned end"
        if evidence.complete
        else f"the run ended early: {evidence.why or 'the recording has no end'}",
        measured=evidence.ended or None,
        expected="complete",
    )


def _probe(case: Case) -> Answer:
    event = case.evidence.recording.event("probe")
    if event is None:
        summary = "no probe was sent: it is not known whether the clients were listening"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=case.evidence.plan.clients)
    seen, expected = int(event["seen"]), case.evidence.plan.clients
    return Answer(
        status=Status.PASS if seen >= expected else Status.UNKNOWN,
        summary=f"{seen:,} of {expected:,} clients saw their channel's probe before the load began",
        measured=seen,
        expected=expected,
        samples=expected,
    )


def _complete_rows(case: Case) -> Answer:
    """Every worker left its rows, and every delivery row has its frame."""
    seen, workers = case.evidence.recording.seen, case.evidence.plan.workers
    missing = workers - len(seen)
    unclosed = sum(1 for part in seen.values() if not len(part.sessions))
    orphans = case.tally.orphans
    good = not orphans and not missing and not unclosed and not case.tally.unseen.any()
    return Answer(
        status=Status.PASS if good else Status.UNKNOWN,
        summary=f"all {workers} load workers left complete rows"
        if good
        else f"{missing} of {workers} load workers left no rows, {unclosed} left no sessions, {orphans:,} deliveries "
        f"have no text; what {int(case.tally.unseen.sum()):,} clients did not receive is not known",
        measured={"missing_workers": missing, "without_sessions": unclosed, "orphans": orphans},
        expected=0,
        samples=workers,
    )


def _samples(case: Case) -> Answer:
    messages, deliveries = case.measured.latency.messages or 0, case.measured.latency.count
    return Answer(
        status=Status.PASS if messages >= P99_MESSAGES_AT_LEAST else Status.UNKNOWN,
        summary=f"{messages:,} measured messages ({deliveries:,} deliveries); a P99 needs at least "
        f"{P99_MESSAGES_AT_LEAST} messages",
        measured={"messages": messages},
        expected={"messages_at_least": P99_MESSAGES_AT_LEAST},
        samples=messages,
        pairs=deliveries,
    )


def _throughput(case: Case) -> Answer:
    """The planned load was posted: a lower rate makes the latency look better."""
    planned, achieved = case.measured.rates.planned_messages_hz, case.measured.rates.messages_hz
    good = achieved is not None and achieved >= RATE_SHARE_AT_LEAST * planned
    shown = "no rate" if achieved is None else f"{achieved:,.1f} messages/s"
    return Answer(
        status=Status.PASS if good else Status.UNKNOWN,
        summary=f"{shown} were posted, {planned:,.1f} planned",
        measured={"messages_hz": achieved},
        expected={"at_least_messages_hz": round(planned * RATE_SHARE_AT_LEAST, 2)},
    )


def _send_lateness(case: Case) -> Answer:
    late = case.measured.send_late or Percentiles()
    text = "P99 of the sender's lateness, which is part of the latency"
    return below_limit(late.p99_ms, SEND_LATE_P99_LIMIT_MS, text, "p99_ms", samples=late.count)


def _loop_lag(case: Case) -> Answer:
    """By time, not by heartbeat: see `harness.checks.evidence.loop_lag`. Every worker counts."""
    evidence = case.evidence
    begin_ns, end_ns = evidence.window_ns
    text = "P99 of the lag of the load workers' event loops, weighted by time, the worst worker"
    worst, count, unknown = 0.0, 0, []
    for worker in range(evidence.plan.workers):
        name = f"worker-{worker:02}"
        heartbeat = evidence.heartbeats.get(name)
        lag = None if heartbeat is None else loop_lag(heartbeat, begin_ns, end_ns)
        if lag is None or lag.p99_ms is None or lag.share < HEARTBEAT_SHARE_AT_LEAST:
            unknown.append(name)
        else:
            worst, count = max(worst, lag.p99_ms), count + lag.count
    if unknown:
        missing = below_limit(None, LOOP_LAG_P99_LIMIT_MS, text, "p99_ms")
        return replace(missing, summary=f"{text}: heartbeats of {', '.join(unknown)} are missing")
    return below_limit(worst, LOOP_LAG_P99_LIMIT_MS, text, "p99_ms", samples=count)


def _clock(case: Case) -> Answer:
    """The clocks of the load generator agree, and nothing is received before it was sent."""
    evidence, tally = case.evidence, case.tally
    receipts = tally.receipts
    backwards = receipts.backwards
    received = int(np.count_nonzero(receipts.last_ns)) if evidence.has_ledger else 0
    bound_ns = _generator_bound_ns(evidence)
    good = received > 0 and not backwards and bound_ns <= CLOCK_BOUND_LIMIT_NS
    summary = f"{backwards:,} deliveries were received before they were sent" if received else "no message was received"
    if bound_ns > CLOCK_BOUND_LIMIT_NS:
        summary += "; the clocks of the load generator's processes cannot be compared to 1 ms"
    return Answer(
        status=Status.PASS if good else Status.UNKNOWN,
        summary=summary,
        measured={"backwards": backwards, "bound_ms": _bound_ms(bound_ns)},
        expected={"backwards": 0, "bound_ms_at_most": 1.0},
        samples=received,
    )


def _generator_bound_ns(evidence: Evidence) -> int:
    """The largest error of the difference between a time of the ledger and one of a load worker."""
    hosts = [evidence.clocks.of_file(f"deliveries-{worker:02}") for worker in evidence.recording.seen]
    return max((int(evidence.clocks.bound_ns(evidence.generator_host, host)) for host in hosts), default=0)


def _bound_ms(bound_ns: int) -> float | None:
    return None if bound_ns >= UNKNOWN_NS else bound_ns / 1e6


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="completeness",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_completeness,
        needs=(Need.EVENTS,),
        red_when="the run ended early",
        what_to_do="the message at its end; run it again",
        planted_bug=f"{PLANTED}test_a_run_that_ended_early_is_not_complete",
    ),
    Check(
        name="probe",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_probe,
        needs=(Need.EVENTS,),
        red_when="a client did not see its channel's probe before the load",
        what_to_do="the subscription of that client: it is not known whether it was listening",
        planted_bug=f"{PLANTED}test_a_client_without_its_probe_is_found",
    ),
    Check(
        name="complete-rows",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_complete_rows,
        needs=(Need.DELIVERIES,),
        red_when="a load worker left no rows or incomplete rows",
        what_to_do="its log in `logs/`; disk space",
        planted_bug=f"{PLANTED}test_rows_that_a_worker_did_not_leave_are_missed",
    ),
    Check(
        name="samples",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_samples,
        needs=(Need.DELIVERIES,),
        red_when=(
            "fewer than 299 measured messages: an upper 95 % bound on a P99 needs that many, as 0.99²⁹⁹ < 0.05. The "
            "deliveries of one message count once"
        ),
        what_to_do="a longer run, or a higher `--rate`",
        planted_bug=f"{PLANTED}test_too_few_messages_are_found",
    ),
    Check(
        name="throughput",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_throughput,
        needs=(Need.LEDGER,),
        red_when="less than 99 % of the planned rate was posted",
        what_to_do="the sender's lateness; a lower `--rate`",
        planted_bug=f"{PLANTED}test_a_rate_below_the_plan_is_found",
    ),
    Check(
        name="send-lateness",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_send_lateness,
        needs=(Need.LEDGER,),
        red_when="the sender's P99 lateness is 5 ms or more, a twentieth of the budget",
        what_to_do="a smaller load, or more cores",
        planted_bug=f"{PLANTED}test_a_late_sender_is_found",
    ),
    Check(
        name="loop-lag",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_loop_lag,
        needs=(Need.HEARTBEATS, Need.EVENTS),
        red_when=(
            "a worker's event loop lags 10 ms or more at its P99, weighted by time: a late heartbeat counts for all "
            "heartbeats that were due meanwhile. Also UNKNOWN if a worker's heartbeats do not cover 99 % of the "
            "measured window"
        ),
        what_to_do="a smaller load, or more cores",
        planted_bug=f"{PLANTED}test_a_lagging_worker_is_found",
    ),
    Check(
        name="clock",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_clock,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.EVENTS),
        red_when="a first delivery was received before its message was sent, or the clocks of the load generator's "
        "processes cannot be compared to 1 ms",
        what_to_do="was the machine suspended, or overloaded? run it again",
        planted_bug=f"{PLANTED}test_a_clock_that_cannot_be_trusted_is_found",
    ),
)
