"""A running cluster as the other layers see it: addresses, credentials, processes. Nothing here starts or stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from harness.model.fault import FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    name: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """Where the harness itself reads PostgreSQL: for the audit and for statistics."""

    host: str
    port: int
    user: str
    password: str
    database: str

    @property
    def arguments(self) -> dict[str, Any]:
        """The keywords of any driver's connect()."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the harness itself reads the Redis server's INFO."""

    host: str
    port: int
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterProcess:
    """One process of the cluster; ``role`` is ``server``, ``postgres`` or ``redis``, ``name`` e.g. ``server-1``."""

    name: str
    role: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What an environment is asked to start."""

    servers: int
    backplane: str
    write_path: str
    run_id: str
    protocol: str = "chat"
    """the client protocol that the servers speak, a name of `client_protocol.CLIENT_PROTOCOLS`"""
    recovery: str = "automatic"
    server_module: str = "reference_server"
    """the Python module that is one server when run with ``--settings FILE`` (`embedded` only)"""


class Cluster(Protocol):
    """A cluster that is up. ``database`` and ``broker`` are None where the harness has no access to them."""

    @property
    def servers(self) -> Sequence[ServerAddress]: ...

    @property
    def token(self) -> str: ...

    @property
    def database(self) -> DatabaseAddress | None: ...

    @property
    def broker(self) -> BrokerAddress | None: ...

    @property
    def processes(self) -> Sequence[ClusterProcess]: ...

    @property
    def versions(self) -> dict[str, str]:
        """what runs, e.g. ``{"postgresql": "18.6", "valkey": "9.1.2", "fsync": "on"}``"""
        ...

    def casualties(self) -> Sequence[str]:
        """One sentence for each process that has ended without being asked to, with its signal or exit code and the
        last lines of its log. Empty while the cluster is whole. Cheap: asked several times a second."""
        ...

    async def inject(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        """Do ``kind`` to the process named ``part`` and return when it is done, with what was seen of it (how it ended
        …). Raises EnvironmentFailure where it does not work."""
        ...

    async def heal(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        """Start, thaw or reconnect ``part`` and return when it answers. Raises EnvironmentFailure where it does not."""
        ...
