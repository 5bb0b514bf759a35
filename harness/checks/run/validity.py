"""Is the ruler straight? What the load generator and the machine did to the figures, and in which direction."""

from typing import Any

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.checks.run import resources
from harness.checks.statistics.distribution import quantiles_ms
from harness.model.finding import Bias, Finding, Kind, Status

# Conventions, fixed before the first run was judged by them (docs/results.md says why each).
SEND_LATE_P99_LIMIT_MS = 5.0
LOOP_LAG_P99_LIMIT_MS = 10.0
GENERATOR_CORES_LIMIT = 0.8
FOREIGN_SHARE_LIMIT = 0.1
STEAL_PERCENT_LIMIT = 1.0
DISK_STALLED_PERCENT_LIMIT = 0.5
"""What comes into one hundredth of the time decides a P99; a probe that looks now and then sees about half of it."""
SAMPLES_AT_LEAST = 300
"""An upper 95 % bound on a P99 needs 299 independent samples: 0.99^299 < 0.05."""
RATE_SHARE_AT_LEAST = 0.99
TELEMETRY_GAP_LIMIT_S = 5.0


def findings(evidence: Evidence, tally: Tally, figures: dict[str, Any]) -> list[Finding]:
    # Which processes an external cluster has on this machine, if any, nobody tells: they cannot be told from foreign ones.
    ours_only = [] if evidence.plan.environment == "external" else [_foreign_cpu(evidence)]
    return [
        _completeness(evidence),
        _probe(evidence),
        _complete_rows(evidence, tally),
        _samples(figures),
        _throughput(evidence, figures),
        _send_lateness(figures),
        _loop_lag(evidence),
        _generator_cpu(evidence),
        *ours_only,
        *_disk(evidence),
        _steal(evidence),
        _clock(evidence, tally),
    ]


def _finding(
    check: str, status: Status, summary: str, measured: Any, expected: Any, *, bias: Bias, samples: int = 0
) -> Finding:
    return Finding(
        check=check,
        kind=Kind.VALIDITY,
        status=status,
        summary=summary,
        measured=measured,
        expected=expected,
        samples=samples,
        bias=None if status is Status.PASS else bias,
    )


def _limit(
    check: str, value: float | None, limit: float, text: str, key: str, *, bias: Bias, samples: int = 0
) -> Finding:
    """UNKNOWN where ``value`` is above its limit, or was not measured: then the bias is OPTIMISTIC."""
    if value is None:
        summary = f"{text}: not measured"
        return _finding(check, Status.UNKNOWN, summary, None, {f"{key}_below": limit}, bias=Bias.OPTIMISTIC)
    status = Status.PASS if value < limit else Status.UNKNOWN
    relation = "below" if status is Status.PASS else "not below"
    unit = key.rpartition("_")[2]
    summary = f"{text}: {value:.3g} {unit}, {relation} {limit:g} {unit}"
    measured, expected = {key: round(value, 4)}, {f"{key}_below": limit}
    return _finding(check, status, summary, measured, expected, bias=bias, samples=samples)


def _completeness(evidence: Evidence) -> Finding:
    status = Status.PASS if evidence.complete else Status.UNKNOWN
    summary = (
        "the run came to its planned end" if evidence.complete else f"the run ended early: {evidence.why or 'no end'}"
    )
    return _finding("completeness", status, summary, evidence.ended or None, "complete", bias=Bias.OPTIMISTIC)


def _probe(evidence: Evidence) -> Finding:
    event = evidence.recording.event("probe")
    if event is None:
        summary = "no probe was sent: nobody knows whether the clients were listening"
        return _finding("probe", Status.UNKNOWN, summary, None, evidence.plan.clients, bias=Bias.OPTIMISTIC)
    seen, expected = int(event["seen"]), int(event["expected"])
    status = Status.PASS if seen >= expected else Status.UNKNOWN
    summary = f"{seen:,} of {expected:,} clients saw their channel's probe before the load began"
    return _finding("probe", status, summary, seen, expected, bias=Bias.OPTIMISTIC, samples=expected)


def _complete_rows(evidence: Evidence, tally: Tally) -> Finding:
    """Every worker left its rows, and every delivery row has its frame."""
    seen, workers = evidence.recording.seen, evidence.plan.workers
    missing = workers - len(seen)
    unclosed = sum(1 for part in seen.values() if not len(part.sessions))
    orphans = tally.orphans
    good = not orphans and not missing and not unclosed
    summary = (
        f"all {workers} load workers left complete rows"
        if good
        else f"{missing} of {workers} load workers left no rows, {unclosed} no sessions, {orphans:,} deliveries no text"
    )
    measured = {"missing_workers": missing, "without_sessions": unclosed, "orphans": orphans}
    return _finding(
        "complete-rows",
        Status.PASS if good else Status.UNKNOWN,
        summary,
        measured,
        0,
        bias=Bias.OPTIMISTIC,
        samples=workers,
    )


def _samples(figures: dict[str, Any]) -> Finding:
    count = int(figures["latency_ms"].get("count", 0))
    status = Status.PASS if count >= SAMPLES_AT_LEAST else Status.UNKNOWN
    summary = f"{count:,} measured deliveries; a P99 needs at least {SAMPLES_AT_LEAST}"
    return _finding(
        "samples", status, summary, count, {"at_least": SAMPLES_AT_LEAST}, bias=Bias.OPTIMISTIC, samples=count
    )


def rates(evidence: Evidence, figures: dict[str, Any]) -> dict[str, float]:
    """`measurements.rates`: what was posted per second of the measured window, beside the plan."""
    posts, plan = evidence.recording.posts, evidence.plan
    planned = {"planned_messages_hz": plan.rate_hz, "planned_deliveries_hz": plan.deliveries_per_s}
    if len(posts) != len(evidence.schedule):
        return planned
    sent_ns = np.sort(posts["sent_ns"][evidence.measured & (posts["sent_ns"] > 0)])
    if len(sent_ns) < 2:
        return planned
    # n posts span n − 1 intervals.
    messages_hz = (len(sent_ns) - 1) / (int(sent_ns[-1] - sent_ns[0]) / 1e9)
    per_message = figures["latency_ms"].get("count", 0) / len(sent_ns)
    found = {"messages_hz": round(messages_hz, 2), "deliveries_hz": round(messages_hz * per_message, 1)}
    return found | planned


def _throughput(evidence: Evidence, figures: dict[str, Any]) -> Finding:
    """The load that was planned was really put on: a lower rate would flatter the latency."""
    found = rates(evidence, figures)
    planned, achieved = found["planned_messages_hz"], found.get("messages_hz")
    good = achieved is not None and achieved >= RATE_SHARE_AT_LEAST * planned
    shown = "no rate" if achieved is None else f"{achieved:,.1f} messages/s"
    summary = f"{shown} were posted, {planned:,g} planned"
    expected = {"at_least_messages_hz": round(planned * RATE_SHARE_AT_LEAST, 2)}
    status = Status.PASS if good else Status.UNKNOWN
    return _finding("throughput", status, summary, {"messages_hz": achieved}, expected, bias=Bias.OPTIMISTIC)


def _send_lateness(figures: dict[str, Any]) -> Finding:
    late = figures.get("send_late_ms", {})
    return _limit(
        "send-lateness",
        late.get("p99"),
        SEND_LATE_P99_LIMIT_MS,
        "P99 of how late the sender posted, all of it counted in the latency",
        "p99_ms",
        bias=Bias.PESSIMISTIC,
        samples=int(late.get("count", 0)),
    )


def _loop_lag(evidence: Evidence) -> Finding:
    begin, end = resources.window(evidence)
    worst, count = None, 0
    for name, heartbeat in evidence.recording.heartbeats.items():
        inside = heartbeat[(heartbeat["at_ns"] >= begin) & (heartbeat["at_ns"] <= end)]
        if name.startswith("worker-") and len(inside):
            lag = quantiles_ms(inside["late_ns"].astype(np.int64), (0.99,))[0]
            worst, count = max(worst or 0.0, lag), count + len(inside)
    return _limit(
        "loop-lag",
        worst,
        LOOP_LAG_P99_LIMIT_MS,
        "P99 of the lag of the load workers' event loops, the worst worker",
        "p99_ms",
        bias=Bias.PESSIMISTIC,
        samples=count,
    )


def _generator_cpu(evidence: Evidence) -> Finding:
    """A worker that fills its core stamps deliveries late: figures can only come out worse than the system deserves."""
    found = resources.samples(evidence)
    names = ["publisher", *(f"worker-{number:02}" for number in range(evidence.plan.workers))]
    used = {name: value for name in names if (value := resources.cores(found, name)) is not None}
    busiest = max(used.values(), default=None)
    return _limit(
        "generator-cpu",
        busiest,
        GENERATOR_CORES_LIMIT,
        "CPU of the busiest process of the load generator",
        "cpu_cores",
        bias=Bias.PESSIMISTIC,
        samples=len(found),
    )


def _foreign_cpu(evidence: Evidence) -> Finding:
    """What the machine did beside the run; interrupts and kernel threads are in it, a few hundredths of a core."""
    found = resources.samples(evidence)
    busy = resources.rate(found, "machine", "busy_s")
    names = {name for sample in found for name in sample.get("processes", {})}
    ours = sum(resources.cores(found, name) or 0.0 for name in names)
    cores = evidence.recording.machine.get("limits", {}).get("cores", 1)
    return _limit(
        "foreign-cpu",
        None if busy is None else max(0.0, busy - ours),
        FOREIGN_SHARE_LIMIT * cores,
        "CPU that programs outside the run used",
        "cpu_cores",
        bias=Bias.PESSIMISTIC,
        samples=len(found),
    )


def _steal(evidence: Evidence) -> Finding:
    found = resources.samples(evidence)
    steal = resources.rate(found, "machine", "steal_s")
    count = evidence.recording.machine.get("limits", {}).get("cores", 1)
    return _limit(
        "steal",
        None if steal is None else 100 * steal / count,
        STEAL_PERCENT_LIMIT,
        "time of the machine that the hypervisor gave to others",
        "steal_percent",
        bias=Bias.PESSIMISTIC,
        samples=len(found),
    )


def _disk(evidence: Evidence) -> list[Finding]:
    """Not asked where it was not measured: it can only excuse. Nor of an external cluster, whose disk is another."""
    found = resources.samples(evidence)
    stalled = resources.rate(found, "machine", "disk_stalled_s")
    if stalled is None or evidence.plan.environment == "external":
        return []
    return [
        _limit(
            "disk",
            100 * stalled,
            DISK_STALLED_PERCENT_LIMIT,
            "time in which the disk let a write of one page wait for 30 ms or longer",
            "stalled_percent",
            bias=Bias.PESSIMISTIC,
            samples=len(found),
        )
    ]


def _clock(evidence: Evidence, tally: Tally) -> Finding:
    """One clock for all: nothing is received before it was sent, and no second of telemetry is missing."""
    posts = evidence.recording.posts
    backwards = 0
    if len(posts) == len(evidence.schedule):
        sent = (posts["sent_ns"] > 0) & (tally.last_ns > 0)
        backwards = int((tally.last_ns < posts["sent_ns"])[sent].sum())
    at_ns = np.array([sample["at_ns"] for sample in resources.samples(evidence)], np.int64)
    gap_s = float(np.diff(at_ns).max(initial=0)) / 1e9
    good = not backwards and gap_s <= TELEMETRY_GAP_LIMIT_S and len(at_ns) > 1
    summary = (
        f"{backwards:,} messages were received before they were sent; longest gap between two samples {gap_s:.1f} s"
        if len(at_ns) > 1
        else "the measured window has no two samples"
    )
    measured = {"backwards": backwards, "longest_gap_s": round(gap_s, 3)}
    expected = {"backwards": 0, "longest_gap_s": TELEMETRY_GAP_LIMIT_S}
    status = Status.PASS if good else Status.UNKNOWN
    return _finding("clock", status, summary, measured, expected, bias=Bias.OPTIMISTIC, samples=len(at_ns))
