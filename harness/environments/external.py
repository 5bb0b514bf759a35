"""A cluster that runs already. The harness knows its servers' addresses; it starts, stops and changes nothing."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from harness.components.kernel import kernel_of
from harness.model.clock import KernelIdentity, same_kernel
from harness.model.cluster import Endpoint, ServerAddress, Topology
from harness.model.component import COMPONENT_KINDS, Component, ComponentKind, Role
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.fault import FaultKind
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, open_session

ANSWER_TIMEOUT_S = 5.0
TOKEN_VARIABLE = "HARNESS_TOKEN"  # noqa: S105 - the name of a variable, not a token


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCluster:
    """The addresses and the token (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str
    database: Endpoint | None = None
    broker: Endpoint | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def components(self) -> Sequence[Component]:
        return ()

    def casualties(self) -> Sequence[str]:
        return ()

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(f"{kind} {component}: nothing of an external cluster is stopped or started")

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(f"heal {kind} {component}: nothing of an external cluster is stopped or started")


def open_external(
    topology: Topology, *, logs: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[ExternalCluster]:
    return external(topology.server_urls, open_protocol(topology.protocol))


@asynccontextmanager
async def external(server_urls: tuple[str, ...], protocol: ClientProtocol) -> AsyncIterator[ExternalCluster]:
    """Ask every server for its health, then yield the cluster.

    Raises UsageError with every address that is not valid, EnvironmentFailure with every server that does not answer.
    """
    addresses = parse_addresses(server_urls)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise UsageError(*missing_token())
    async with open_session(protocol, token) as session:
        answers = await asyncio.gather(*(_health(session, address, protocol) for address in addresses))
    if problems := [answer for answer in answers if isinstance(answer, str)]:
        raise EnvironmentFailure("; ".join(problems))
    here = kernel_of(os.getpid())
    kernels = [answer for answer in answers if isinstance(answer, KernelIdentity) and same_kernel(here, answer)]
    yield ExternalCluster(
        servers=addresses,
        token=token,
        database=read_endpoint(Role.DATABASE),
        broker=read_endpoint(Role.BROKER),
        # Only a server can say which kernel it runs on: an address of this machine may be a forwarded port.
        versions={"clock": "shared"} if len(kernels) == len(addresses) else {},
    )


def read_endpoint(role: Role) -> Endpoint | None:
    """Where the harness may read the database or the broker, from the variable of its kind; None where none is set.

    Raises UsageError for an address that is not as its kind says.
    """
    for kind in COMPONENT_KINDS:
        if kind.role is role and (url := os.environ.get(kind.variable, "")):
            return parse_endpoint(kind, url)
    return None


def parse_endpoint(kind: ComponentKind, url: str) -> Endpoint:
    """``SCHEME://USER:PASSWORD@HOST:PORT/DATABASE``; what is left out is the kind's default. Raises UsageError."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in kind.schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # Without the value: it may hold a password.
        raise UsageError(f"{kind.variable}: expected {kind.example}, found something else")
    return Endpoint(
        kind=kind.name,
        host=parts.hostname or "",
        port=parts.port or kind.default_port,
        user=unquote(parts.username or kind.default_user),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")) or kind.default_database,
    )


def missing_token() -> list[str]:
    """Why an external cluster cannot be reached, as sentences."""
    if os.environ.get(TOKEN_VARIABLE):
        return []
    return [f"--environment external: expected the cluster's token in the variable {TOKEN_VARIABLE}, found none"]


def parse_addresses(server_urls: tuple[str, ...]) -> tuple[ServerAddress, ...]:
    """http://HOST:PORT for each. Raises UsageError with every one that is not of this form."""
    addresses, objections = [], []
    for number, url in enumerate(server_urls, 1):
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 80
        except ValueError:
            host, port, parts = None, 0, urlsplit("")
        if parts.scheme != "http" or not host or parts.path not in ("", "/") or parts.query or parts.username:
            objections.append(f"--server {url!r}: expected http://HOST:PORT")
            continue
        addresses.append(ServerAddress(name=f"server-{number}", host=host, port=port))
    if objections:
        raise UsageError(*objections)
    return tuple(addresses)


async def _health(
    session: aiohttp.ClientSession, address: ServerAddress, protocol: ClientProtocol
) -> str | KernelIdentity | None:
    """Which kernel the server runs on, None where it does not say; or, as text, why it cannot be used."""
    request = protocol.health()
    try:
        response = await exchange(session, address, request, timeout_s=ANSWER_TIMEOUT_S)
    except EXCHANGE_ERRORS as error:
        return f"{address.url} does not answer: {str(error) or type(error).__name__}"
    if response.status == 401:
        return f"{address.url} refuses the token in {TOKEN_VARIABLE}"
    if response.status != 200:
        return f"{address.url}{request.path} answers {response.status}, expected 200"
    return protocol.parse_health(response.body)
