"""Everything that was measured in one run."""

from dataclasses import dataclass

from harness.model.expectation import Measure
from harness.model.measurements.claims import Claim, Decision
from harness.model.measurements.delivery import DeliveryByPhase, LostAt
from harness.model.measurements.durability import Durability
from harness.model.measurements.not_measured import NotMeasured
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.recovery import Recovery
from harness.model.measurements.resources import (
    BrokerFigures,
    DatabaseFigures,
    MachineFigures,
    ProcessFigures,
    ServerFigures,
    WorkerFigures,
)
from harness.model.measurements.steps import StepLatencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What was posted and delivered per second of the measured window, beside the plan."""

    planned_messages_hz: float
    planned_deliveries_hz: float
    messages_hz: float | None = None
    deliveries_hz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMeasurements:
    """One run; of the measured window, if not stated otherwise.

    ``latency``: intended time → received by one client. ``completion``: → received by the last client of the audience.
    ``acknowledgement``: → answered. ``send_late``: → sent. If a fault, planned or not, disturbed deliveries,
    ``live_latency`` is of those that it did not disturb, ``recovered_latency`` of the others; in other runs both are
    None. ``durability`` is of the whole run, None without traces and audit.
    ``recovery`` is None without a planned fault, ``steps`` without traces, ``broker`` if the backplane needs none.
    ``not_measured`` names the parts that the recording does not allow.
    """

    delivery: DeliveryByPhase | None
    rates: Rates
    latency: Percentiles
    completion: Percentiles
    live_latency: Percentiles | None = None
    recovered_latency: Percentiles | None = None
    acknowledgement: Percentiles | None = None
    send_late: Percentiles | None = None
    steps: StepLatencies | None = None
    lost_at: tuple[LostAt, ...] = ()
    durability: Durability | None = None
    recovery: Recovery | None = None
    servers: tuple[ServerFigures, ...] = ()
    workers: tuple[WorkerFigures, ...] = ()
    publisher: ProcessFigures
    machine: MachineFigures
    broker: BrokerFigures | None = None
    database: DatabaseFigures | None = None
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()
    not_measured: tuple[NotMeasured, ...] = ()

    def timed(self, measure: Measure) -> Percentiles | None:
        """The percentiles that an expectation speaks of."""
        return {
            "latency_ms": self.latency,
            "live_latency_ms": self.live_latency,
            "completion_ms": self.completion,
        }[measure]
