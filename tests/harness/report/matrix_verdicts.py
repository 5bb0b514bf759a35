"""A made-up matrix for tests of its report. Nothing here was measured."""

from dataclasses import replace
from typing import Any

from harness.model.finding import Status, Verdict
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.matrix_measurements import (
    CellFigures,
    Comparison,
    CostAt,
    MatrixMeasurements,
    Operations,
    Spread,
    SystemFigures,
)
from harness.model.measurements.percentiles import Percentiles
from tests.harness.plans import a_plan


def spread(value: float, low: float | None = None, high: float | None = None) -> Spread:
    return Spread(value=value, low=value if low is None else low, high=value if high is None else high, cells=1)


def a_system(name: str = "redis", p99_ms: float | None = 61.8, **changes: Any) -> SystemFigures:
    """A system that delivered 1 000 of 1 000 expected deliveries."""
    values: dict[str, Any] = {
        "system": name,
        "backplane": name,
        "write_path": "db-first",
        "cells": 4,
        "passed": 3,
        "p50_ms": spread(15.9),
        "p99_ms": None if p99_ms is None else spread(p99_ms, p99_ms - 1, p99_ms + 1),
        "expected": 1_000,
        "operations": Operations(processes=1, ports=1, links=4, servers=4),
    }
    return SystemFigures(**values | changes)


def cost(*values: tuple[int, float]) -> tuple[CostAt, ...]:
    return tuple(CostAt(servers=servers, cpu_us_per_delivery=spread(value)) for servers, value in values)


def a_cell(run: str = "001-redis-scenario-a-4x1", **changes: Any) -> CellFigures:
    values: dict[str, Any] = {
        "system": "redis",
        "scenario": "scenario-a",
        "servers": 4,
        "repetition": 1,
        "status": Status.PASS,
        "latency": Percentiles(count=10, p50_ms=15.9, p99_ms=61.8),
        "delivery": DeliveryCounts(expected=1_000, delivered=1_000),
    }
    return CellFigures(run=run, **values | changes)


def a_matrix(*systems: SystemFigures, **changes: Any) -> MatrixMeasurements:
    """A matrix of ``systems``, or of a fast and a slow system if none are given."""
    made = MatrixMeasurements(
        delivery=DeliveryCounts(expected=2_000, delivered=2_000),
        latency_scenario="scenario-a",
        repeat=1,
        predicted_s=60.0,
        cells=(a_cell(), a_cell("", system="memory", because="cannot run here", latency=None, delivery=None)),
        systems=systems or (a_system(), a_system("mesh", 81.0)),
        order=(Comparison(faster="redis", slower="mesh", separated=True),),
    )
    return replace(made, **changes)


def a_verdict(matrix: MatrixMeasurements | None) -> Verdict:
    return Verdict(status=Status.PASS, findings=(), matrix=matrix, plan=a_plan())
