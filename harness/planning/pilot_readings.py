"""The readings of a pilot, and what the machine lacked. Latency is not a reading, on purpose: a slow system must not
make its own test easier. A pilot asks only whether the machine, which carries the system and the load generator, has
room for the load. Deliveries that fall behind are shown, but they alone are not a shortage either: if the machine has
room, the system causes them, and the run must show that.
"""

from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.pilot import Readings

ROOM_SHARE = 0.8
"""Share of the cores that a load may keep busy, together with all other programs."""
PROCESS_CORES_LIMIT = 0.8
"""Of one core, for a process that cannot use more than one."""
LAG_P99_LIMIT_MS = 10.0
SEND_LATE_P99_LIMIT_MS = 5.0
"""Both as the checks `loop-lag` and `send-lateness` have them: beyond these the run itself would not be decided."""


def readings(measured: RunMeasurements, cores: int) -> Readings:
    """The readings of a pilot from its measurements; ``cores`` is what the machine has."""
    single = _single_threaded(measured)
    busiest = max(single, key=single.__getitem__, default="")
    database = measured.database.cpu_cores if measured.database else None
    used = [*single.values(), *([] if database is None else [database])]
    lags = [worker.lag_p99_ms for worker in measured.workers if worker.lag_p99_ms is not None]
    received_hz, planned_hz = measured.rates.deliveries_hz, measured.rates.planned_deliveries_hz
    return Readings(
        cores=cores,
        busy_cores=measured.machine.busy_cores,
        used_cores=round(sum(used), 4) if used else None,
        busiest=busiest,
        busiest_cores=single.get(busiest),
        lag_p99_ms=max(lags, default=None),
        send_late_p99_ms=measured.send_late.p99_ms if measured.send_late else None,
        received_share=None if received_hz is None or not planned_hz else round(received_hz / planned_hz, 4),
    )


def _single_threaded(measured: RunMeasurements) -> dict[str, float]:
    """Processes that can use one core each, with what they used of it."""
    named = [
        *((server.name, server.cpu_cores) for server in measured.servers),
        *((worker.name, worker.cpu_cores) for worker in measured.workers),
        ("publisher", measured.publisher.cpu_cores),
        ("broker", measured.broker.cpu_cores if measured.broker else None),
    ]
    return {name: cores for name, cores in named if cores is not None}


def shortages(found: Readings) -> tuple[str, ...]:
    """What the machine lacked, a sentence each; empty if there was room. A reading that was not measured does not count
    as a shortage."""
    short = []
    if found.busy_cores is not None and found.busy_cores > ROOM_SHARE * found.cores:
        others = "" if found.used_cores is None else f", {max(0.0, found.busy_cores - found.used_cores):.2f} by others"
        short.append(
            f"{found.busy_cores:.2f} of {found.cores} cores were busy{others}; expected at most "
            f"{ROOM_SHARE * found.cores:.2f}"
        )
    if found.busiest_cores is not None and found.busiest_cores > PROCESS_CORES_LIMIT:
        short.append(
            f"{found.busiest} used {found.busiest_cores:.2f} of the one core that it can use; expected at most "
            f"{PROCESS_CORES_LIMIT:g}"
        )
    if found.lag_p99_ms is not None and found.lag_p99_ms >= LAG_P99_LIMIT_MS:
        short.append(
            f"a load worker's event loop lagged {found.lag_p99_ms:.1f} ms at P99; at most {LAG_P99_LIMIT_MS:g}"
        )
    if found.send_late_p99_ms is not None and found.send_late_p99_ms >= SEND_LATE_P99_LIMIT_MS:
        short.append(f"posts were sent {found.send_late_p99_ms:.1f} ms late at P99; at most {SEND_LATE_P99_LIMIT_MS:g}")
    return tuple(short)
