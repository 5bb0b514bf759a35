"""What was asked for: the numbers of the command line, None where nothing was said."""

from dataclasses import dataclass

from harness.model.fault import FaultKind, Target
from harness.model.scenario import Audience, Size

ENVIRONMENTS = ("embedded", "external", "docker", "swarm")
BACKPLANES = ("redis", "memory", "postgres-poll", "postgres-notify", "kafka", "mesh")
RECOVERIES = ("automatic", "manual", "off")
WRITE_PATHS = ("db-first", "broker-first")
REFERENCE_SERVER = "reference_server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run as asked for. A number that is given here is never changed by sizing."""

    servers: int | None = None
    clients: int | None = None
    rate_hz: float | None = None
    duration_s: float | None = None
    audience: Audience | None = None
    size: Size = Size.FIT
    environment: str = "embedded"
    backplane: str = "redis"
    write_path: str = "db-first"
    seed: int = 1
    fault: FaultKind | None = None
    target: Target | None = None
    outage_s: float | None = None
    recovery: str = "automatic"
    server_module: str = REFERENCE_SERVER
    force: bool = False
    external_servers: int = 0
    """how many server addresses were given for ``external``; 0 elsewhere"""
    server_counts: tuple[int, ...] = ()
    """the counts of a sweep; empty: the scenario's own"""
    repeat: int = 1
    """how often each point of a sweep is run"""
