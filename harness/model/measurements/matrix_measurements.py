"""Everything that was measured in a matrix."""

from dataclasses import dataclass

from harness.model.measurements.claims import Claim, Decision
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.percentiles import Percentiles
from harness.model.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """One cell. A cell without a verdict has UNKNOWN, and None in all measured fields; ``because`` says why.

    ``run`` is the folder of its recording. ``latency``: of all deliveries; of the live ones if the scenario limits
    those. ``fan_out``: published → received by a server with subscribers, which is the time of the backplane.
    ``delivery`` is the sum over all phases. ``recovery_s``: from the moment when the broken part was back to the last
    delivery that it held up. ``start_s``: until the cluster was ready. ``system_cores`` is the CPU of servers, broker
    and database together. ``not_stored``: acknowledged messages that the database does not hold; None without an audit.
    """

    run: str
    system: str
    scenario: str
    servers: int
    repetition: int
    status: Status = Status.UNKNOWN
    because: str = ""
    safety: Status = Status.UNKNOWN
    latency: Percentiles | None = None
    acknowledgement: Percentiles | None = None
    fan_out: Percentiles | None = None
    delivery: DeliveryCounts | None = None
    not_stored: int | None = None
    messages_hz: float | None = None
    deliveries_hz: float | None = None
    system_cores: float | None = None
    cpu_us_per_delivery: float | None = None
    broker_cores: float | None = None
    broker_rss_bytes: int | None = None
    recovery_s: float | None = None
    start_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure of a system over its repetitions: the median of the repetitions, and the range. ``low`` and ``high``
    are the lowest and the highest end of the 95 % intervals of the cells if these have one, else the lowest and the
    highest figure. ``bounded``: every cell has an interval with two ends.
    """

    value: float
    low: float
    high: float
    cells: int
    bounded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The work to operate a system, in counted facts about the broker, beside database and servers. ``processes``,
    ``ports`` and ``settings`` are of the broker alone: processes to run, ports to open, settings to change from their
    defaults. ``links``: connections between servers and broker, or between servers, at ``servers`` servers.
    ``adapter_lines``: lines of code of the backplane in the reference server, without blank lines and comments.
    """

    processes: int
    ports: int
    settings: tuple[str, ...] = ()
    links: int | None = None
    servers: int | None = None
    memory_bytes: int | None = None
    start_s: float | None = None
    adapter_lines: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAt:
    """The cost of a delivery for the system at a number of servers."""

    servers: int
    cpu_us_per_delivery: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """One row of the decision matrix. ``write_path`` names its variation too. Latencies are of scenario
    ``latency_scenario``; counts are sums over all cells.

    ``cost`` is by number of servers, the fewest first.
    """

    system: str
    backplane: str
    write_path: str
    cells: int
    passed: int
    p50_ms: Spread | None = None
    p95_ms: Spread | None = None
    p99_ms: Spread | None = None
    ack_p99_ms: Spread | None = None
    fan_out_p50_ms: Spread | None = None
    fan_out_p99_ms: Spread | None = None
    expected: int = 0
    lost: int = 0
    undelivered: int = 0
    not_stored: int = 0
    recovery_s: Spread | None = None
    cost: tuple[CostAt, ...] = ()
    operations: Operations
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two neighbours in the order of the P99. ``separated``: the intervals of ``faster`` and ``slower`` do not
    overlap."""

    faster: str
    slower: str
    separated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixMeasurements:
    """One matrix. ``systems`` are in the order of the plan, ``order`` is by the P99 of ``latency_scenario``."""

    delivery: DeliveryCounts
    latency_scenario: str
    repeat: int
    predicted_s: float
    cells: tuple[CellFigures, ...] = ()
    systems: tuple[SystemFigures, ...] = ()
    order: tuple[Comparison, ...] = ()
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()
