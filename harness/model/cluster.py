"""A running cluster as the other layers see it: addresses, credentials, components. Nothing here starts or stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.model.component import Component
from harness.model.fault import FaultKind

REFERENCE_SERVER = "reference_server"
"""the Python module of the reference server"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    name: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a database or a broker answers, and the credentials. ``kind`` is in `component.COMPONENT_KINDS`; ``user`` and
    ``database`` are empty for a kind that has none."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: str = field(repr=False)
    database: str = ""
    owned: bool = False
    """The harness started it: connections use no TLS and nothing of the user's environment (PGSSLMODE …)."""

    @property
    def arguments(self) -> dict[str, Any]:
        """Address and credentials by the names that settings and drivers use."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
        }


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
    synchronous_commit: bool = True
    server_module: str = REFERENCE_SERVER
    """the Python module that is one server when run with ``--settings FILE``"""
    server_urls: tuple[str, ...] = ()
    """the servers of a cluster that runs already"""
    statement_log: bool = False
    """whether the database that the environment starts logs how long each statement takes"""


class Cluster(Protocol):
    """A cluster that is up. ``database`` and ``broker`` are None where the harness has no access to them."""

    @property
    def servers(self) -> Sequence[ServerAddress]: ...

    @property
    def token(self) -> str: ...

    @property
    def database(self) -> Endpoint | None: ...

    @property
    def broker(self) -> Endpoint | None: ...

    @property
    def components(self) -> Sequence[Component]:
        """Every component of which the harness knows a process."""
        ...

    @property
    def versions(self) -> dict[str, str]:
        """what runs, e.g. ``{"postgresql": "18.6", "fsync": "on"}``"""
        ...

    def casualties(self) -> Sequence[str]:
        """One sentence for each process that has ended without being asked to, with its signal or exit code and the
        last lines of its log. Empty while the cluster is whole. Cheap: asked several times a second."""
        ...

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        """Inject the fault into the component of that name and return when it is done, with what was seen of it (how the
        process ended …). Raises EnvironmentFailure where it does not work."""
        ...

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        """Start, thaw or reconnect ``component`` and return when it answers. Raises EnvironmentFailure."""
        ...
