"""A running cluster as the other layers see it: addresses, credentials, components. Nothing here starts or stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.model.backplane_setting import Values
from harness.model.component import Component
from harness.model.fault import FaultKind
from harness.model.tls import Tls

REFERENCE_SERVER = "reference_server"
"""the Python module of the reference server"""
SERVER_IMAGE = "image:"
"""the prefix of a server's image, given instead of a module"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """``host`` is a name or an IP address; ``path`` comes before every route; it is empty or begins with a slash.
    ``tls`` is None if the connection is not encrypted."""

    name: str
    host: str
    port: int
    path: str = ""
    tls: Tls | None = None

    @property
    def authority(self) -> str:
        """Host and port as in an address and in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.path}"

    @property
    def websocket_base(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://{self.authority}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a database or a broker answers, and the credentials. ``kind`` is in `component.COMPONENT_KINDS`; ``user``
    and ``database`` are empty for a kind that has none."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: str = field(repr=False)
    database: str = ""
    owned: bool = False
    """The harness started it."""
    tls: Tls | None = None
    """None: the connection is not encrypted"""
    tls_optional: bool = False
    """whether a connection without TLS is accepted if the other side offers none"""

    @property
    def place(self) -> str:
        """Host and port for a message, or the folder of the socket."""
        if self.host.startswith("/"):
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

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
    """What an environment must start."""

    servers: int
    backplane: str
    write_path: str
    run_id: str
    protocol: str = "chat"
    """the client protocol that the servers speak, a name of `client_protocol.CLIENT_PROTOCOLS`"""
    recovery: str = "automatic"
    backplane_settings: Values = ()
    synchronous_commit: bool = True
    server_module: str = REFERENCE_SERVER
    """the Python module that is one server when run with ``--settings FILE``, or SERVER_IMAGE and an image that is
    started like our own"""
    server_urls: tuple[str, ...] = ()
    """the servers of a cluster that already runs"""
    ca_file: str = ""
    """the certificates of the authorities that its servers are verified with; empty: the system's"""
    insecure: bool = False
    """whether any certificate is accepted"""
    messages_table: str = ""
    """its table of messages, if the harness must read it"""
    statement_log: bool = False
    """whether the database that the environment starts logs how long each statement takes"""
    relayed: tuple[str, ...] = ()
    """the links (`harness.model.link`) that go through a relay, because a fault is to break them there"""


class Cluster(Protocol):
    """A cluster that is up. ``database`` and ``broker`` are None if the harness has no access to them."""

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
        """One sentence for each process that ended unexpectedly, with its signal or exit code and the last lines of its
        log. Empty while all processes run. It is cheap, because it is called several times a second."""
        ...

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        """Inject the fault into the component of that name and return when it is done, with what was seen of it (how
        the process ended …). Raises EnvironmentFailure if it does not work."""
        ...

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        """Start, thaw or reconnect ``component`` and return when it answers. Raises EnvironmentFailure."""
        ...
