"""A cluster that already runs. The harness knows the addresses of its servers; it does not start, stop or change
them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from harness.components import adapter_of
from harness.components.kernel import kernel_of
from harness.model.addresses import parse_endpoint, parse_servers, read_authorities
from harness.model.clock import KernelIdentity, same_kernel
from harness.model.cluster import Endpoint, ServerAddress, Topology
from harness.model.component import COMPONENT_KINDS, Component, Role
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.fault import FaultKind
from harness.model.secret import TOKEN_VARIABLE, read_token
from harness.model.tls import Tls
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, handshake_refusal, open_session, reason

ANSWER_TIMEOUT_S = 5.0
ACCESS_TIMEOUT_S = 10.0
_ASKED_BY = "--environment external"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCluster:
    """The addresses and the token (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str = field(repr=False)
    database: Endpoint | None = None
    broker: Endpoint | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def components(self) -> Sequence[Component]:
        return ()

    def casualties(self) -> Sequence[str]:
        return ()

    async def inject(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(f"{kind} {component}: the harness stops and starts no part of an external cluster")

    async def heal(self, kind: FaultKind, component: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(
            f"heal {kind} {component}: the harness stops and starts no part of an external cluster"
        )


def open_external(
    topology: Topology, *, logs: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[ExternalCluster]:
    return external(topology, open_protocol(topology.protocol))


@asynccontextmanager
async def external(topology: Topology, protocol: ClientProtocol) -> AsyncIterator[ExternalCluster]:
    """Ask every part for what the run will need of it, then yield the cluster.

    Raises UsageError with every address that is not valid, EnvironmentFailure with every part that refuses.
    """
    tls = Tls(authorities=read_authorities(topology.ca_file) if topology.ca_file else "", insecure=topology.insecure)
    addresses = parse_servers(topology.server_urls, tls)
    token = read_token(_ASKED_BY)
    database, broker = read_endpoint(Role.DATABASE), read_endpoint(Role.BROKER)
    async with open_session(protocol, token) as session:
        answers = await asyncio.gather(
            *(_health(session, address, protocol) for address in addresses),
            *(_no_access(part, topology.messages_table) for part in (database, broker) if part is not None),
        )
    if problems := [answer for answer in answers if isinstance(answer, str)]:
        raise EnvironmentFailure("; ".join(problems))
    here = kernel_of(os.getpid())
    kernels = [answer for answer in answers if isinstance(answer, KernelIdentity) and same_kernel(here, answer)]
    yield ExternalCluster(
        servers=addresses,
        token=token,
        database=database,
        broker=broker,
        # Only a server can say which kernel it runs on: an address of this machine may be a forwarded port.
        versions={"clock": "shared"} if len(kernels) == len(addresses) else {},
    )


def read_endpoint(role: Role) -> Endpoint | None:
    """Where the harness may read the database or the broker, from the variable of its kind; None if none is set.

    Raises UsageError for an address that is not as its kind says.
    """
    for kind in COMPONENT_KINDS:
        if kind.role is role and (url := os.environ.get(kind.variable, "")):
            return parse_endpoint(kind, url)
    return None


def problems() -> list[str]:
    """Why an external cluster cannot be reached, as sentences: what is wrong with the variables that name its parts."""
    found: list[str] = []
    for look in (
        lambda: read_token(_ASKED_BY),
        lambda: read_endpoint(Role.DATABASE),
        lambda: read_endpoint(Role.BROKER),
    ):
        try:
            look()
        except UsageError as error:
            found += error.objections
    return found


async def _health(
    session: aiohttp.ClientSession, address: ServerAddress, protocol: ClientProtocol
) -> str | KernelIdentity | None:
    """Which kernel the server runs on, None if it does not say; or, as text, why it cannot be used."""
    request = protocol.health()
    try:
        response = await exchange(session, address, request, timeout_s=ANSWER_TIMEOUT_S)
    except EXCHANGE_ERRORS as error:
        return f"{address.url} does not answer: {reason(error)}"
    if response.status == 401:
        return f"{address.url} refuses the token in {TOKEN_VARIABLE}"
    if response.status != 200:
        return f"{address.url}{request.path} answers {response.status}, expected 200"
    if refused := await handshake_refusal(session, address, protocol, timeout_s=ANSWER_TIMEOUT_S):
        if "401" in refused or "403" in refused:
            return f"{address.url} refuses the token in {TOKEN_VARIABLE} ({refused})"
        return (
            f"{protocol.websocket_url(address)} opens no WebSocket: {refused}; does each proxy before it pass them on?"
        )
    return protocol.parse_health(response.body)


async def _no_access(part: Endpoint, table: str) -> str | None:
    """Why the harness may not read the part, as text; None if it may."""
    kind = COMPONENT_KINDS.get(part.kind)
    try:
        async with asyncio.timeout(ACCESS_TIMEOUT_S):
            refused = await adapter_of(part.kind).no_access(part, table)
    except TimeoutError:
        refused = f"no answer within {ACCESS_TIMEOUT_S:g} s"
    return (
        f"{kind.variable}: {kind.title} at {part.place} does not let the harness read: {refused}" if refused else None
    )
