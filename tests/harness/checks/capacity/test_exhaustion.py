"""Which resource was exhausted, from made-up measurements."""

from dataclasses import replace
from typing import Any

import pytest

from harness.checks.capacity.exhaustion import cores_used, exhaustion
from harness.model.capacity import CoresUsed, Resource
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.resources import (
    BrokerFigures,
    DatabaseFigures,
    MachineFigures,
    ProcessFigures,
    ServerFigures,
    WorkerFigures,
)
from harness.model.measurements.steps import StepLatencies
from tests.harness.report import verdicts

CORES = 4


def p99(value_ms: float) -> Percentiles:
    return Percentiles(count=1_000, p99_ms=value_ms)


def verdict(*findings: Finding, **measured: Any) -> Verdict:
    """Everything is idle and fast, except what is given."""
    calm: dict[str, Any] = {
        "servers": (ServerFigures(name="server-1", clients=1, cpu_cores=0.2),),
        "workers": (WorkerFigures(name="worker-00", clients=1, deliveries=1, cpu_cores=0.1),),
        "publisher": ProcessFigures(cpu_cores=0.05),
        "broker": BrokerFigures(kind="redis", cpu_cores=0.1),
        "database": DatabaseFigures(kind="postgresql", cpu_cores=0.2),
        "machine": MachineFigures(busy_cores=0.8),
        "steps": StepLatencies(
            ingest=p99(10), commit=p99(10), publish=p99(10), fan_out=p99(10), push=p99(10), total=p99(50)
        ),
    }
    run = replace(verdicts.measurements(), **(calm | measured))
    return replace(verdicts.passed(), run=run, findings=findings)


def stalled() -> Finding:
    return Finding(
        check="disk",
        kind=Kind.VALIDITY,
        status=Status.UNKNOWN,
        summary="the disk let writes wait",
        measured=None,
        expected=None,
        bias=Bias.PESSIMISTIC,
    )


@pytest.mark.parametrize(
    ("given", "resource", "word"),
    [
        (verdict(stalled()), Resource.DISK, "the disk let writes wait"),
        (
            verdict(servers=(ServerFigures(name="server-2", clients=1, cpu_cores=0.95),)),
            Resource.SERVER_CPU,
            "server-2 used 0.95",
        ),
        (verdict(broker=BrokerFigures(kind="redis", cpu_cores=0.97)), Resource.BROKER, "broker used 0.97"),
        (verdict(publisher=ProcessFigures(cpu_cores=0.9)), Resource.GENERATOR, "publisher used 0.90"),
        (
            verdict(workers=(WorkerFigures(name="worker-01", clients=1, deliveries=1, cpu_cores=0.99),)),
            Resource.GENERATOR,
            "worker-01 used 0.99",
        ),
        (
            verdict(machine=MachineFigures(busy_cores=3.9), database=DatabaseFigures(kind="postgresql", cpu_cores=2.9)),
            Resource.DATABASE,
            "all 4 cores of the machine were busy (3.90): servers 0.20, database 2.90, broker 0.10, load generator 0.15",
        ),
        (
            verdict(steps=StepLatencies(ingest=p99(5), commit=p99(90), push=p99(2), total=p99(100))),
            Resource.DATABASE,
            "the P99 of the step commit is 90 ms, that of the whole way 100 ms",
        ),
        (
            verdict(steps=StepLatencies(commit=p99(5), fan_out=p99(80), push=p99(2), total=p99(100))),
            Resource.BROKER,
            "the P99 of the step fan-out is 80 ms, that of the whole way 100 ms",
        ),
        (
            verdict(steps=StepLatencies(commit=p99(5), fan_out=p99(8), push=p99(80), total=p99(100))),
            Resource.SERVER_CPU,
            "the P99 of the step push is 80 ms, that of the whole way 100 ms",
        ),
        (
            verdict(steps=StepLatencies(ingest=p99(70), commit=p99(5), push=p99(2), total=p99(100))),
            Resource.SERVER_CPU,
            "the P99 of the step ingest is 70 ms",
        ),
        (
            verdict(steps=StepLatencies(ingest=p99(30), commit=p99(30), push=p99(2), total=p99(100))),
            Resource.NOT_FOUND,
            "no resource",
        ),
        (
            verdict(steps=StepLatencies(commit=p99(60), fan_out=p99(75), total=p99(100))),
            Resource.BROKER,
            "fan-out is 75 ms",
        ),
        (verdict(), Resource.NOT_FOUND, "no resource that was measured was full"),
        (verdict(steps=None), Resource.NOT_FOUND, "no resource"),
    ],
)
def test_the_resource_that_gave_out_is_named(given: Verdict, resource: Resource, word: str) -> None:
    """Each resource is found by its own sign, and the reason holds the figures. Percentiles of steps are never added:
    each step is compared alone, and the longest of several long steps counts."""
    found = exhaustion(given, CORES)
    assert found is not None
    assert found.resource is resource
    assert word in found.because


def test_the_fullest_process_is_named() -> None:
    """Two processes are beyond the limit: the one with the least CPU time left is named."""
    found = exhaustion(
        verdict(
            servers=(ServerFigures(name="server-1", clients=1, cpu_cores=0.85),),
            broker=BrokerFigures(kind="redis", cpu_cores=0.99),
        ),
        CORES,
    )
    assert found is not None
    assert found.resource is Resource.BROKER


def test_what_was_not_measured_is_absent() -> None:
    """Without telemetry no cores are given, and no process is full."""
    bare = verdict(
        servers=(), workers=(), publisher=ProcessFigures(), broker=None, database=None, machine=MachineFigures()
    )
    assert bare.run is not None
    assert cores_used(bare.run) == CoresUsed()
    assert exhaustion(replace(bare, run=None), CORES) is None
