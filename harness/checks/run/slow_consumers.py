"""Do clients that stop reading delay other clients, or use memory without bound?"""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.evidence import slice_s
from harness.checks.run.gaps import GAP_LIMIT_S, longest_gap_ns
from harness.checks.run.outage_scope import during_outage, not_slower, where_hit
from harness.checks.run.recovery import Span
from harness.model.fault import Target
from harness.model.finding import Kind, Status

PLANTED = "tests/harness/checks/run/test_slow_consumers.py::"
# Conventions (docs/results.md says why each).
SLOW_CONSUMER_BYTES = 2 * 1_048_576
"""The memory of a server for a client that reads nothing: the protocol's limit of waiting bytes, and as much
overhead."""
SLOW_CONSUMER_BASE_BYTES = 64 * 1_048_576


def _bystanders(case: Case, outage: Span) -> Answer:
    """While some clients do not read, the others get deliveries as fast as before and after. Judged by whole seconds of
    the measured window, before and after: a machine that slows down during the run slows both.
    """
    evidence, live = case.evidence, case.tally.timings.live
    origin = evidence.begin_ns
    width_ns = slice_s(evidence.plan) * 1_000_000_000
    seconds_ns = origin + np.arange(live.groups) * width_ns
    # Without the second in which they read again, because their waiting deliveries arrive then.
    calm = (seconds_ns + width_ns <= outage.begin_ns) | (seconds_ns - 1_000_000_000 >= outage.end_ns)
    inside = (seconds_ns >= outage.begin_ns) & (seconds_ns + width_ns <= outage.end_ns)
    second = np.clip(evidence.second, 0, max(live.groups - 1, 0))
    due = evidence.timed
    return not_slower(
        "delivery latency of the clients that read",
        live.within(calm),
        live.within(inside),
        messages=(int((due & calm[second]).sum()), int((due & inside[second]).sum())) if live.groups else (0, 0),
        when="around",
    )


def _bounded_memory(case: Case, outage: Span) -> Answer:
    """The memory that clients that do not read cost the servers."""
    evidence = case.evidence
    names = [f"server-{number + 1}" for number in range(evidence.plan.servers)]
    totals = [
        (sample["at_ns"], sum(sample["processes"][name]["rss_bytes"] for name in names))
        for sample in evidence.recording.telemetry
        if all(name in sample.get("processes", {}) for name in names)
    ]
    before = [total for at_ns, total in totals if at_ns < outage.begin_ns]
    after = [total for at_ns, total in totals if at_ns >= outage.begin_ns]
    stopped = sum(len(fault.parts) for fault in evidence.plan.faults if fault.target is Target.CLIENTS)
    limit = SLOW_CONSUMER_BASE_BYTES + stopped * SLOW_CONSUMER_BYTES
    expected = {"growth_bytes_below": limit}
    if not before or not after:
        summary = "not known: the servers' memory was not measured before and during the outage"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected)
    sampled = np.array([at_ns for at_ns, _ in totals], np.int64)
    end_ns = outage.end_ns if outage.ended else int(sampled.max())
    gap_s = longest_gap_ns(sampled, outage.begin_ns, end_ns) / 1e9
    growth = max(after) - before[-1]
    if gap_s > GAP_LIMIT_S and growth < limit:
        summary = f"not known: during the outage the servers' memory was not measured for {gap_s:.1f} s"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected)
    return Answer(
        status=Status.PASS if growth < limit else Status.FAIL,
        summary=f"{stopped} clients that read nothing cost the servers {growth / 1e6:.1f} MB together",
        measured={"growth_bytes": growth},
        expected=expected,
        samples=len(totals),
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="bystanders",
        kind=Kind.PERFORMANCE,
        compares_ratio=True,
        function=during_outage(_bystanders),
        applies=where_hit(Target.CLIENTS),
        needs=(Need.DELIVERIES, Need.EVENTS),
        red_when=(
            "while one client in a hundred reads nothing, the P99 of the other clients' deliveries is more than 1.2 "
            "times the P99 before and after, and more than 5 ms above it. Whole seconds are compared, with numbers "
            "and an interval as in `ack-during-outage`. The time before and the time after both count, because a "
            "machine may slow down during a run. `--target clients` measures 30 s unless `--duration` is given, so "
            "that seven of them are inside the outage"
        ),
        what_to_do="the gateway's writes: does one client wait for another?",
        planted_bug=f"{PLANTED}test_bystanders_that_suffer_are_red",
    ),
    Check(
        name="bounded-memory",
        kind=Kind.PERFORMANCE,
        function=during_outage(_bounded_memory),
        applies=where_hit(Target.CLIENTS),
        needs=(Need.TELEMETRY, Need.EVENTS),
        red_when="the servers' memory grew by 64 MiB and 2 MiB for each client that reads nothing, or more",
        what_to_do="the limit of what waits for one connection",
        planted_bug=f"{PLANTED}test_slow_consumers_that_cost_memory_without_bound_are_red",
    ),
)
