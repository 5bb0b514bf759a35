"""A request: the options of the command line, None if an option was not given."""

from dataclasses import dataclass

from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS
from harness.model.fault import FaultKind, Target
from harness.model.scenario import Audience, Size

RECOVERIES = ("automatic", "manual", "off")
PLACEMENTS = ("spread", "local")
SWITCH = ("on", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request of one run. Sizing never changes a number that is given here."""

    servers: int | None = None
    clients: int | None = None
    rate_hz: float | None = None
    duration_s: float | None = None
    audience: Audience | None = None
    size: Size = Size.FIT
    environment: str = ENVIRONMENTS.default.name
    backplane: str = BACKPLANES.default.name
    backplane_settings: tuple[str, ...] = ()
    """``KEY=VALUE`` as given"""
    write_path: str = WRITE_PATHS.default.name
    seed: int = 1
    fault: FaultKind | None = None
    target: Target | None = None
    outage_s: float | None = None
    recovery: str = "automatic"
    server_module: str = REFERENCE_SERVER
    force: bool = False
    pilot: bool = True
    """whether a pilot may change the size that sizing chose"""
    fail_fast: bool = False
    engine: str = ENGINES.default.name
    protocol: str = CLIENT_PROTOCOLS.default.name
    server_urls: tuple[str, ...] = ()
    """the servers of a cluster that already runs"""
    ca_file: str = ""
    """the authorities that their certificates are verified with; empty: the system's"""
    insecure: bool = False
    """whether any certificate is accepted"""
    server_counts: tuple[int, ...] = ()
    """the counts of a sweep; empty: the scenario's own"""
    messages_table: str = ""
    """the database's table of messages; empty: that of the reference server, or not known"""
    placement: str = PLACEMENTS[0]
    synchronous_commit: str = SWITCH[0]
    repeat: int = 1
    """how often each point of a sweep is run"""
