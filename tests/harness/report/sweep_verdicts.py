"""A made-up, complete verdict of a sweep, for tests. Nothing here was measured."""

from dataclasses import replace

from harness.model.finding import Bias, Kind, Status, Verdict
from harness.model.measurements.claims import Outcome
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.resources import BrokerFigures, DatabaseFigures, StatementFigures
from harness.model.measurements.sweep_measurements import (
    Efficiency,
    Fit,
    FitEstimate,
    FitLine,
    Ratio,
    ScalabilityLaw,
    SweepMeasurements,
    SweepRun,
)
from harness.model.sweep_plan import Curve
from tests.harness.report import verdicts

COUNTS = (2, 4, 8)


def passed(repeat: int = 1) -> Verdict:
    """Two curves over three server counts, with each point ``repeat`` times."""
    single = verdicts.passed()
    growth = replace(
        single.findings[5],
        check="cpu-growth",
        status=Status.FAIL,
        summary="CPU per message grows faster than linearly with the servers.",
    )
    one_host = replace(
        single.findings[-1],
        check="one-host",
        kind=Kind.VALIDITY,
        status=Status.UNKNOWN,
        bias=Bias.PESSIMISTIC,
        summary="All servers share 2 cores: the efficiency is not parallel speed-up.",
    )
    return replace(
        single,
        status=Status.FAIL,
        findings=(growth, *single.findings, one_host),
        run=None,
        sweep=sweep(repeat),
        plan=verdicts.a_large_plan(scenario="scenario-c", servers=COUNTS[-1]),
        series={},
    )


def sweep(repeat: int = 1) -> SweepMeasurements:
    runs = tuple(
        a_run(curve, servers, repetition, order)
        for order, (curve, servers, repetition) in enumerate(
            (
                (curve, servers, repetition)
                for curve in Curve
                for servers in COUNTS
                for repetition in range(1, repeat + 1)
            ),
            1,
        )
    )
    whole = verdicts.measurements()
    return SweepMeasurements(
        delivery=whole.delivery.total,
        latency=runs[-1].latency,
        server_counts=COUNTS,
        clients_per_server=100,
        weak_rate_per_server_hz=10.0,
        predicted_s=60.0,
        runs=runs,
        fits=(a_fit("cpu_us_per_message"), a_fit("broker_cpu_us_per_message")),
        ratios=(
            Ratio(
                curve=Curve.CONSTANT, servers=8, base_servers=2, runs=1, p99_ratio=1.1, lower_bound=0.9, upper_bound=1.3
            ),
        ),
        efficiency=tuple(
            Efficiency(servers=run.servers, run=run.run, share=0.9) for run in runs if run.curve is Curve.WEAK
        ),
        scalability_law=ScalabilityLaw(gamma_hz=1000.0, alpha=0.02, beta=0.001),
        claims=(verdicts.claim("Latency flat from 2 to 16 servers", "flat", "1.1", Outcome.SUPPORTED),),
        decisions=whole.decisions,
    )


def a_run(curve: Curve, servers: int, repetition: int, order: int) -> SweepRun:
    times = Percentiles(count=1000, p50_ms=5.0, p95_ms=11.0, p99_ms=20.0, p999_ms=25.0, max_ms=30.0)
    return SweepRun(
        run=f"{order:02}-{curve}-{servers}x{repetition}",
        curve=curve,
        servers=servers,
        repetition=repetition,
        status=Status.PASS,
        clients=100 * servers,
        rate_hz=100.0,
        planned_deliveries_hz=10_000.0,
        messages_hz=100.0,
        deliveries_hz=10_000.0,
        latency=replace(times, p99_low_ms=19.0, p99_high_ms=21.0),
        completion=times,
        steps=verdicts.measurements().steps,
        system_cores=0.5,
        server_cores=0.3,
        cpu_us_per_message=1_000.0 + 30 * servers,
        cpu_us_per_message_low=990.0 + 30 * servers,
        cpu_us_per_message_high=1_010.0 + 30 * servers,
        cpu_us_per_delivery=10.0,
        broker_cpu_us_per_message=20.0 + servers,
        broker_net_out_bytes_per_message=400.0 * servers,
        broker=BrokerFigures(kind="redis", cpu_cores=0.02, net_in_bytes_hz=4e4, net_out_bytes_hz=4e4 * servers),
        database=DatabaseFigures(
            kind="postgresql", commits_hz=90.0, statements=(StatementFigures(statement="INSERT", duration=times),)
        ),
        server_rss_bytes=90_000_000,
        memory_peak_bytes=3_000_000_000,
        connect_s=1.5,
    )


def a_fit(figure: str) -> Fit:
    estimate = FitEstimate(value=30.0, low=28.0, high=32.0, lower_bound=28.5, upper_bound=31.5)
    return Fit(
        curve=Curve.CONSTANT,
        figure=figure,
        runs=3,
        line=FitLine(intercept=1_000.0, slope=estimate, r2=0.999),
        exponent=replace(estimate, value=0.2, low=0.1, high=0.3),
        quadratic_share=replace(estimate, value=0.01, low=0.0, high=0.05, lower_bound=0.0, upper_bound=0.04),
        detectable_share=0.25,
        status=Status.PASS,
    )
