"""Made-up, complete verdicts for tests. Each part can be removed. Nothing here was measured."""

import math
import random
from dataclasses import replace
from typing import Any

from harness.model.finding import Bias, Finding, Kind, Series, Status, Verdict, worst
from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts, LostAt
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.resources import (
    BrokerFigures,
    DatabaseFigures,
    MachineFigures,
    ProcessFigures,
    ServerFigures,
    WorkerFigures,
)
from harness.model.measurements.run_measurements import Rates, RunMeasurements
from harness.model.measurements.steps import StepLatencies
from harness.model.plan import Plan, Reduction
from harness.model.scenario import Size
from tests.harness.plans import a_plan

MACHINE: dict[str, Any] = {
    "system": "Linux 6.18",
    "processor": "made up",
    "limits": {"cores": 2, "memory_available_bytes": 17_179_869_184, "nofile_hard": 20_000},
    "versions": {"harness": "0.1.0", "python": "3.11", "postgresql": "18.6", "valkey": "9.1.2"},
    "settings": {"fsync": "on", "synchronous_commit": "on"},
}
EVENTS: list[dict[str, Any]] = [
    {"at_ns": 1_000_000_000, "wall": "2026-01-01T00:00:00.000Z", "event": "phase", "name": "start"},
    {"at_ns": 2_000_000_000, "wall": "2026-01-01T00:00:01.000Z", "event": "phase", "name": "connect"},
    {"at_ns": 9_000_000_000, "wall": "2026-01-01T00:00:08.000Z", "event": "probe", "expected": 10_000, "seen": 10_000},
    {"at_ns": 9_500_000_000, "wall": "2026-01-01T00:00:08.500Z", "event": "schedule", "start_ns": 10_000_000_000},
    {"at_ns": 9_600_000_000, "wall": "2026-01-01T00:00:08.600Z", "event": "phase", "name": "warm-up"},
    {"at_ns": 15_000_000_000, "wall": "2026-01-01T00:00:14.000Z", "event": "phase", "name": "measure"},
    {"at_ns": 75_000_000_000, "wall": "2026-01-01T00:01:14.000Z", "event": "phase", "name": "drain"},
    {
        "at_ns": 75_400_000_000,
        "wall": "2026-01-01T00:01:14.400Z",
        "event": "drained",
        "how": "complete",
        "quiet_s": 0.1,
        "deliveries_hz": 25_000.0,
    },
    {"at_ns": 79_000_000_000, "wall": "2026-01-01T00:01:18.000Z", "event": "ended", "how": "complete", "why": ""},
]


def a_large_plan(**changes: Any) -> Plan:
    """Scenario A with the size for a two-core machine."""
    values: dict[str, Any] = {
        "claim": "A message posted to any of 4 servers reaches every subscribed client of all servers exactly once and in "
        "order, with a P99 below 100 ms from the intended time of the post to its receipt.",
        "servers": 4,
        "clients": 10_000,
        "rate_hz": 1000.0,
        "audience": 20,
        "asked_audience": "all",
        "duration_s": 60.0,
        "warm_up_s": 5.0,
        "workers": 2,
        "size": Size.FIT,
        "run_id": "r7f3a90c2",
        "reductions": (
            Reduction(
                what="audience",
                wanted="10,000 clients per channel",
                planned="20 clients per channel",
                because="it would need 181.2 cores, this machine has 2",
            ),
        ),
        "command": ("run", "scenario-a", "--seed", "1"),
    }
    return a_plan(**values | changes)


def passed() -> Verdict:
    """Every criterion was met, and every part is present."""
    findings = (
        _finding(
            "lost", "Every expected delivery arrived.", {"lost": 0}, {"lost": 0}, 1_310_000, "loss < 2.3e-06 at 95 %"
        ),
        _finding(
            "duplicates", "No client saw a message twice.", {"visible": 0, "on_the_wire": 0}, {"visible": 0}, 1_310_000
        ),
        _finding(
            "order", "Every client saw its channel in seq order.", {"out_of_order": 0}, {"out_of_order": 0}, 1_310_000
        ),
        _finding("phantoms", "Nothing arrived that was not posted.", {"phantom": 0}, {"phantom": 0}, 1_310_000),
        _finding("stored", "Every acknowledged message is in the database.", {"missing": 0}, {"missing": 0}, 65_500),
        _finding(
            "latency_ms.p99",
            "P99 delivery latency stays below its limit.",
            {"p99_ms": 61.8},
            {"p99_ms_below": 100},
            1_200_000,
            "95 % between 57.2 and 66.1 ms",
            Kind.PERFORMANCE,
        ),
        _finding(
            "rate",
            "The planned rate was kept.",
            {"messages_hz": 999.7},
            {"messages_hz": 1000},
            60_000,
            "",
            Kind.PERFORMANCE,
        ),
        _finding(
            "send_late",
            "The publisher kept its schedule.",
            {"p99_ms": 3.1},
            {"p99_ms_below": 5},
            60_000,
            "",
            Kind.VALIDITY,
        ),
        _finding(
            "steal",
            "Other machines took no CPU time from this one.",
            {"steal_percent": 0.2},
            {"steal_percent_below": 1},
            60,
            "",
            Kind.VALIDITY,
        ),
    )
    return Verdict(
        status=worst(finding.status for finding in findings),
        findings=findings,
        run=measurements(),
        plan=a_large_plan(),
        series=series(),
    )


def failed() -> Verdict:
    """Deliveries were lost at two hops, the P99 is over its limit, and a validity check did not pass."""
    good = passed()
    examples = tuple(f"message {n}, channel 000{n:03d} seq {n}: client {n * 7} never received it" for n in range(3, 23))
    findings = (
        *good.findings[1:5],
        _finding(
            "lost",
            "37 of 1 310 000 expected deliveries never arrived.",
            {"lost": 37, "lost_tail": 2},
            {"lost": 0},
            1_310_000,
            "",
            Kind.SAFETY,
            Status.FAIL,
            examples,
        ),
        _finding(
            "latency_ms.p99",
            "P99 delivery latency is 612 ms, its limit 100 ms, but a validity check did not pass.",
            {"p99_ms": 612.4},
            {"p99_ms_below": 100},
            1_199_963,
            "95 % between 480 and 701 ms",
            Kind.PERFORMANCE,
            Status.UNKNOWN,
        ),
        replace(
            good.findings[-2],
            status=Status.UNKNOWN,
            summary="The publisher was late.",
            measured={"p99_ms": 84.2},
            bias=Bias.PESSIMISTIC,
        ),
    )
    whole = measurements()
    harmed = replace(
        whole,
        delivery=replace(
            whole.delivery, measured=replace(whole.delivery.measured, delivered=1_199_963, lost=37, lost_tail=2)
        ),
        latency=replace(whole.latency, p99_ms=612.4, p99_low_ms=480.0, p99_high_ms=701.0, max_ms=2210.0),
        lost_at=(LostAt(hop="fan_out", deliveries=35), LostAt(hop="push", deliveries=2)),
        decisions=(
            whole.decisions[0],
            replace(
                whole.decisions[1],
                status=Outcome.CONTRADICTED,
                evidence="37 deliveries were lost between two servers.",
            ),
        ),
    )
    return Verdict(status=Status.FAIL, findings=findings, run=harmed, plan=a_large_plan(), series=series(peak=14.0))


def empty() -> Verdict:
    """A run that recorded nothing. It is UNKNOWN, and every part is missing."""
    findings = (_finding("lost", "No delivery was recorded.", None, {"lost": 0}, 0, "", Kind.SAFETY, Status.UNKNOWN),)
    return Verdict(status=Status.UNKNOWN, findings=findings, plan=a_plan(), series={})


def _finding(
    check: str,
    summary: str,
    measured: Any,
    expected: Any,
    samples: int,
    confidence: str = "",
    kind: Kind = Kind.SAFETY,
    status: Status = Status.PASS,
    examples: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        check=check,
        kind=kind,
        status=status,
        summary=summary,
        measured=measured,
        expected=expected,
        samples=samples,
        confidence=confidence,
        examples=examples,
    )


def percentiles(p50: float, p95: float, p99: float, top: float, count: int = 1_200_000) -> Percentiles:
    return Percentiles(count=count, p50_ms=p50, p95_ms=p95, p99_ms=p99, p999_ms=(p99 + top) / 2, max_ms=top)


def measurements() -> RunMeasurements:
    """Every part that a judge may give, except the parts of a fault."""

    def share(posted: int) -> DeliveryCounts:
        return DeliveryCounts(posted=posted, acknowledged=posted, expected=posted * 20, delivered=posted * 20)

    return RunMeasurements(
        delivery=DeliveryByPhase(probe=share(500), warm_up=share(5_000), measured=share(60_000)),
        rates=Rates(messages_hz=999.7, deliveries_hz=19_994.1, planned_messages_hz=1000, planned_deliveries_hz=20_000),
        latency=replace(percentiles(15.9, 38.4, 61.8, 142.0), p99_low_ms=57.2, p99_high_ms=66.1),
        completion=percentiles(22.3, 49.0, 74.5, 142.0, 60_000),
        acknowledgement=percentiles(9.1, 24.0, 41.2, 88.0, 60_000),
        send_late=percentiles(0.4, 1.6, 3.1, 12.0, 60_000),
        steps=StepLatencies(
            ingest=percentiles(1.2, 5.0, 9.8, 31.0, 60_000),
            commit=percentiles(8.1, 20.3, 34.6, 71.0, 60_000),
            publish=percentiles(0.07, 0.4, 0.92, 4.0, 60_000),
            fan_out=percentiles(0.5, 2.1, 6.4, 20.0, 240_000),
            push=percentiles(3.9, 11.0, 18.7, 60.0),
            total=percentiles(15.9, 38.4, 61.8, 142.0),
        ),
        servers=tuple(
            ServerFigures(
                name=f"server-{n}",
                clients=2500,
                accepted=16_300 + 17 * n,
                delivered_sockets=327_500,
                p50_ms=15.2 + n / 3,
                p99_ms=60.1 + n,
                cpu_cores=0.24 + n / 100,
                rss_bytes=148_000_000 + n * 2_000_000,
            )
            for n in range(1, 5)
        ),
        workers=tuple(
            WorkerFigures(name=f"worker-0{n}", clients=5_000, deliveries=655_000, lag_p99_ms=4.2 + n, cpu_cores=0.15)
            for n in (0, 1)
        ),
        publisher=ProcessFigures(cpu_cores=0.12, rss_bytes=84_000_000),
        machine=MachineFigures(busy_cores=1.67, steal_cores=0.004),
        broker=BrokerFigures(kind="redis", cpu_cores=0.04, net_out_bytes_hz=683_000, commands_hz=1_106),
        database=DatabaseFigures(kind="postgresql", cpu_cores=0.24, commits_hz=151, wal_bytes_hz=516_000),
        claims=(
            claim("End to end P99", "< 100 ms", "61.8 ms", Outcome.SUPPORTED),
            claim("Step 2, commit", "20–50 ms", "P50 8.1 ms, P99 34.6 ms", Outcome.SUPPORTED),
            claim("Step 4, fan-out", "< 1 ms", "P99 6.4 ms", Outcome.CONTRADICTED),
            claim("Latency flat from 2 to 16 servers", "flat", None, Outcome.NOT_REACHED),
        ),
        decisions=(
            Decision(
                adr="ADR-0001",
                title="DB-first write path",
                status=Outcome.SUPPORTED,
                evidence="65,500 of 65,500 acknowledged messages are stored.",
            ),
            Decision(
                adr="ADR-0002",
                title="Redis Pub/Sub between servers",
                status=Outcome.SUPPORTED,
                evidence="Every delivery crossed servers within the limit.",
            ),
        ),
    )


def claim(words: str, expected: str, measured: str | None, status: Outcome) -> Claim:
    return Claim(
        claim=words, source="architecture, latency budget", expected=expected, measured=measured, status=status
    )


def series(peak: float = 1.0) -> dict[str, Series]:
    """Curves of one minute with a bump in the middle, which ``peak`` scales. Each curve over time has one missing
    sample."""
    noise = random.Random(1)
    x = tuple(float(second) for second in range(-5, 62))

    def curve(level: float, spread: float = 0.2) -> tuple[float | None, ...]:
        bump = (level * (1 + noise.random() * spread + (peak - 0.6) * math.exp(-(((t - 30) / 4) ** 2))) for t in x)
        return tuple(None if t == 44 else value for t, value in zip(x, bump, strict=True))

    def over_time(y_label: str, **levels: float) -> Series:
        lines = {name.replace("_", "-"): curve(level) for name, level in levels.items()}
        return Series(x_label="seconds", y_label=y_label, x=x, lines=lines)

    def servers(level: float) -> dict[str, float]:
        return {f"server_{n}": level * (0.9 + n / 20) for n in range(1, 5)}

    def workers(level: float) -> dict[str, float]:
        return {f"worker_0{n}": level * (1 + n / 20) for n in (0, 1)}

    tail = tuple(n / 10 for n in range(1, 58))
    return {
        "latency": over_time("ms", P50=14, P95=33, P99=50),
        "completion": over_time("ms", P50=20, P95=42, P99=60),
        "rate": over_time("per second", messages=1000, deliveries=20_000),
        "percentiles": Series(
            x_label="percentile",
            y_label="ms",
            x=tail,
            lines={
                "delivery": tuple(8 + 22 * math.log1p(q**2) * (1 + peak / 20) for q in tail),
                "completion": tuple(14 + 24 * math.log1p(q**2) for q in tail),
            },
        ),
        "cpu": over_time(
            "cores", **servers(0.25), database=0.2, broker=0.04, **workers(0.15), publisher=0.12, machine=1.6
        ),
        "memory": over_time("bytes", **servers(150e6), database=210e6, broker=12e6, **workers(240e6)),
        "server_latency": over_time("delivery latency (ms)", **servers(55.0)),
        "server_cpu": over_time("cores", **servers(0.25)),
        "server_memory": over_time("bytes", **servers(150e6)),
        "broker_traffic": over_time("bytes/s", input=180e3, output=690e3),
        "broker_commands": over_time("per second", commands=1010),
        "database_commits": over_time("per second", commits=140),
        "database_wal": over_time("bytes/s", wal=480e3),
        "lag": over_time("ms", **workers(2.2), publisher=1.1),
    }
