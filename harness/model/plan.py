"""A plan: everything that decides a run, fixed before anything starts and kept with its recording."""

from dataclasses import dataclass

from harness.model.backplane_setting import Values
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.engine import ENGINES
from harness.model.expectation import Expectation
from harness.model.fault import Fault
from harness.model.pilot import Pilot
from harness.model.scenario import Audience, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """One number that ``--size fit`` lowered, and the resources that the original number needs."""

    what: str
    wanted: str
    planned: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The resources that a load uses while it runs, predicted from the calibration."""

    cores: float
    memory_bytes: int
    descriptors_per_process: int
    ports_per_server: int
    disk_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """CPU seconds that this machine spends per unit of work, from a measurement of a few seconds."""

    per_write_s: float
    """one write to one socket and its receipt, both ends together"""
    per_frame_s: float
    """one more message in the same write, both ends together"""
    per_post_s: float
    """one message from the sender through the accepting server and PostgreSQL to the backplane"""
    per_hint_s: float
    """one message read from the backplane by one server, up to its sockets"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run, completely: the same plan gives the same schedule, placement and texts.

    ``channels`` partitions the clients: client ``c`` (0-based) is subscribed to channel ``c // audience`` and to that
    one only. Rates are messages per second over all servers together.
    """

    scenario: str
    title: str
    claim: str
    servers: int
    clients: int
    rate_hz: float
    audience: int
    asked_audience: Audience
    channels: int
    duration_s: float
    warm_up_s: float
    text_bytes: int
    workers: int
    size: Size
    environment: str
    backplane: str
    write_path: str
    seed: int
    run_id: str
    expectations: tuple[Expectation, ...]
    reductions: tuple[Reduction, ...]
    need: Need
    calibration: Calibration
    forced: bool
    command: tuple[str, ...]
    """the arguments that repeat this run, without the program's name"""
    faults: tuple[Fault, ...] = ()
    recovery: str = "automatic"
    """who recovers the messages that the backplane lost: ``automatic`` (the servers by themselves), ``manual`` (they
    wait for a request, which the harness makes when the fault is over), ``off`` (never)"""
    server_module: str = "reference_server"
    """the Python module of a server in ``embedded``"""
    server_urls: tuple[str, ...] = ()
    """the servers of a cluster that already runs, in order; empty if the run starts its own"""
    ca_file: str = ""
    """the authorities that those servers' certificates are verified with; empty: the system's"""
    insecure: bool = False
    """whether any certificate of those servers was accepted"""
    messages_table: str = ""
    """the table of PostgreSQL with the columns channel, seq and text; empty: not known, the servers are asked for their
    history"""
    engine: str = ENGINES.default.name
    """what runs the load generator"""
    protocol: str = CLIENT_PROTOCOLS.default.name
    """the client protocol that the servers speak"""
    query_log: bool = False
    """whether the database that the environment starts logs how long each statement takes, for
    ``arrays/queries.npy``"""
    fail_fast: bool = False
    """whether the run ends at the first delivery that is always wrong"""
    backplane_settings: Values = ()
    """every setting of the backplane with its value"""
    placement: str = "spread"
    """the servers of the clients of one channel: ``spread`` over all servers, or ``local``, on as few as balance
    allows"""
    synchronous_commit: bool = True
    """whether PostgreSQL confirms a COMMIT only after it has flushed it to disk"""
    pilot: Pilot | None = None
    """the pilots that decide the size; None if it is decided without pilots"""

    @property
    def is_for_all(self) -> bool:
        """Whether the audience is all clients because an option or the scenario says so: then it follows their
        number."""
        return self.asked_audience == "all" and self.channels == 1

    @property
    def deliveries_per_s(self) -> float:
        return self.rate_hz * self.audience

    @property
    def certificates(self) -> str:
        """How the servers' certificates were verified, in words; empty if no connection is encrypted."""
        if not any(url.strip().lower().startswith("https:") for url in self.server_urls):
            return ""
        if self.insecure:
            return "not verified: any certificate was accepted (--insecure)"
        return f"verified with {self.ca_file}" if self.ca_file else "verified with the system's authorities"
