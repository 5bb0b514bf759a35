"""The readings of a pilot, and the shortages in them."""

import pytest

from harness.checks.run import machine_validity, validity
from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts
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
from harness.model.pilot import Readings
from harness.planning import pilot_readings
from harness.planning.pilot_readings import readings, shortages

NOTHING = DeliveryCounts()
MEASURED = RunMeasurements(
    delivery=DeliveryByPhase(probe=NOTHING, warm_up=NOTHING, measured=NOTHING),
    rates=Rates(planned_messages_hz=100, planned_deliveries_hz=2_000, messages_hz=100, deliveries_hz=1_500),
    latency=Percentiles(),
    completion=Percentiles(),
    send_late=Percentiles(p99_ms=1.5),
    servers=(
        ServerFigures(name="server-1", clients=5, cpu_cores=0.3),
        ServerFigures(name="server-2", clients=5, cpu_cores=0.4),
    ),
    workers=(
        WorkerFigures(name="worker-00", clients=5, deliveries=9, lag_p99_ms=2.0, cpu_cores=0.2),
        WorkerFigures(name="worker-01", clients=5, deliveries=9, lag_p99_ms=7.0, cpu_cores=0.1),
    ),
    publisher=ProcessFigures(cpu_cores=0.05),
    machine=MachineFigures(busy_cores=1.4),
    broker=BrokerFigures(kind="redis", cpu_cores=0.1),
    database=DatabaseFigures(kind="postgresql", cpu_cores=0.15),
)


def test_readings_are_of_all_processes_and_of_the_machine() -> None:
    """The readings hold the sum of all processes, the busiest process, the worst worker, the publisher, and the
    received share."""
    assert readings(MEASURED, 2) == Readings(
        cores=2,
        busy_cores=1.4,
        used_cores=1.3,
        busiest="server-2",
        busiest_cores=0.4,
        lag_p99_ms=7.0,
        send_late_p99_ms=1.5,
        received_share=0.75,
    )


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (Readings(cores=2, busy_cores=1.95, used_cores=1.4), "1.95 of 2 cores were busy, 0.55 by others"),
        (Readings(cores=8, busy_cores=2.0, busiest="server-1", busiest_cores=0.97), "server-1 used 0.97"),
        (Readings(cores=2, lag_p99_ms=12.0), "lagged 12.0 ms"),
        (Readings(cores=2, send_late_p99_ms=6.0), "6.0 ms late"),
    ],
)
def test_each_shortage_says_what_was_short(found: Readings, word: str) -> None:
    """Cores of the machine, the one core of a process, lag, or late posts."""
    assert any(word in sentence for sentence in shortages(found))


@pytest.mark.parametrize(
    "found",
    [
        Readings(cores=2),
        Readings(cores=2, busy_cores=1.5, used_cores=1.4, busiest="worker-00", busiest_cores=0.5, lag_p99_ms=3.0),
        Readings(cores=2, busy_cores=0.4, received_share=0.5),
    ],
)
def test_deliveries_that_fall_behind_alone_are_no_shortage(found: Readings) -> None:
    """If the machine has room, a system that falls behind must be measured. The load must not be lowered for it."""
    assert shortages(found) == ()


def test_limits_are_those_of_the_checks() -> None:
    """A pilot with room predicts that the validity checks of the run pass."""
    assert pilot_readings.LAG_P99_LIMIT_MS <= validity.LOOP_LAG_P99_LIMIT_MS
    assert pilot_readings.SEND_LATE_P99_LIMIT_MS <= validity.SEND_LATE_P99_LIMIT_MS
    assert pilot_readings.PROCESS_CORES_LIMIT <= machine_validity.GENERATOR_CORES_LIMIT
