"""Everything that was measured in a sweep."""

from dataclasses import dataclass

from harness.model.measurements.claims import Claim, Decision
from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.resources import BrokerFigures, DatabaseFigures
from harness.model.measurements.steps import StepLatencies
from harness.model.status import Status
from harness.model.sweep_plan import Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRun:
    """One run of a sweep. A run without a verdict has None in all measured fields.

    ``run`` is the folder of its recording. ``system_cores`` is the CPU of servers, broker and database together, and so
    is ``cpu_us_per_message``, with the ends of its 95 % interval (means of blocks of seconds).
    """

    run: str
    curve: Curve
    servers: int
    repetition: int
    status: Status
    clients: int
    rate_hz: float
    planned_deliveries_hz: float
    messages_hz: float | None = None
    deliveries_hz: float | None = None
    latency: Percentiles | None = None
    completion: Percentiles | None = None
    delivery: DeliveryByPhase | None = None
    steps: StepLatencies | None = None
    system_cores: float | None = None
    server_cores: float | None = None
    cpu_us_per_message: float | None = None
    cpu_us_per_message_low: float | None = None
    cpu_us_per_message_high: float | None = None
    cpu_us_per_delivery: float | None = None
    broker_cpu_us_per_message: float | None = None
    broker_net_out_bytes_per_message: float | None = None
    broker: BrokerFigures | None = None
    database: DatabaseFigures | None = None
    server_rss_bytes: int | None = None
    """of the largest server"""
    memory_peak_bytes: int | None = None
    connect_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FitEstimate:
    """An estimate with its two-sided 95 % interval and its one-sided 95 % bounds; None if a bound is infinite."""

    value: float | None
    low: float | None
    high: float | None
    lower_bound: float | None
    upper_bound: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FitLine:
    """A straight line through a figure against the number of servers."""

    intercept: float
    slope: FitEstimate
    r2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How one figure grows on one curve. ``figure`` is the name of a field of `SweepRun`. ``exponent`` is that of the
    number of servers; ``quadratic_share`` is the share of the term in N² at the most servers. ``detectable_share`` is
    the power of the runs: a true share of this size would be found in four of five sweeps like this; None if no share
    would be.
    """

    curve: Curve
    figure: str
    runs: int
    line: FitLine
    exponent: FitEstimate
    quadratic_share: FitEstimate | None
    detectable_share: float | None = None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """P99 at ``servers`` over P99 at ``base_servers``, with one-sided 95 % bounds; None if it is not known.
    ``p_value``: how likely such a ratio, or a larger one, is if the true one is the limit of `latency-stable`.
    """

    curve: Curve
    servers: int
    base_servers: int
    runs: int
    p99_ratio: float | None = None
    lower_bound: float | None = None
    upper_bound: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """Deliveries per second and server in one run of the weak curve, as a share of those at the fewest servers."""

    servers: int
    run: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalabilityLaw:
    """Gunther's law: gamma · N / (1 + alpha · (N − 1) + beta · N · (N − 1)); contention alpha, coherency beta."""

    gamma_hz: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMeasurements:
    """One sweep. ``delivery`` is the sum over all runs and phases; ``latency`` is that of the run with the highest P99,
    because percentiles are never averaged. ``runs`` are in order of curve, server count and repetition."""

    delivery: DeliveryCounts
    latency: Percentiles | None = None
    server_counts: tuple[int, ...]
    clients_per_server: int
    weak_rate_per_server_hz: float
    predicted_s: float
    runs: tuple[SweepRun, ...] = ()
    fits: tuple[Fit, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    efficiency: tuple[Efficiency, ...] = ()
    scalability_law: ScalabilityLaw | None = None
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()
