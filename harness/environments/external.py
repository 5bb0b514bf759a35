"""A cluster that runs already, of any origin, reached by its servers' addresses; nothing of it is started or stopped."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp

from harness.model.cluster import BrokerAddress, ClusterProcess, DatabaseAddress, ServerAddress
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.fault import FaultKind
from harness.protocol.contract import ClientProtocol
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, open_session

ANSWER_TIMEOUT_S = 5.0
TOKEN_VARIABLE = "HARNESS_TOKEN"  # noqa: S105 - the name of a variable, not a token
DATABASE_VARIABLE = "HARNESS_DATABASE"
REDIS_VARIABLE = "HARNESS_REDIS"
"""Optional: where the harness may read for itself. Addresses hold passwords, so they are not given on a command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCluster:
    """What is known of it: addresses and the token (see `harness.model.cluster.Cluster`)."""

    servers: tuple[ServerAddress, ...]
    token: str
    database: DatabaseAddress | None = None
    broker: BrokerAddress | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def processes(self) -> Sequence[ClusterProcess]:
        return ()

    def casualties(self) -> Sequence[str]:
        return ()

    async def inject(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(f"{kind} {part}: nothing of an external cluster is stopped or started")

    async def heal(self, kind: FaultKind, part: str) -> Mapping[str, Any]:
        raise EnvironmentFailure(f"heal {kind} {part}: nothing of an external cluster is stopped or started")


@asynccontextmanager
async def external(server_urls: tuple[str, ...], protocol: ClientProtocol) -> AsyncIterator[ExternalCluster]:
    """Look whether every server answers, and hand the cluster out.

    Raises UsageError for addresses that are none, EnvironmentFailure for servers that do not answer, each with all of them.
    """
    addresses = parse_addresses(server_urls)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise UsageError(f"--environment external: expected the cluster's token in {TOKEN_VARIABLE}, found none")
    async with open_session(protocol, token) as session:
        answers = await asyncio.gather(*(_problem(session, address, protocol) for address in addresses))
    if problems := [problem for problem in answers if problem]:
        raise EnvironmentFailure("; ".join(problems))
    yield ExternalCluster(
        servers=addresses,
        token=token,
        database=parse_database(os.environ.get(DATABASE_VARIABLE, "")),
        broker=parse_broker(os.environ.get(REDIS_VARIABLE, "")),
    )


def parse_database(url: str) -> DatabaseAddress | None:
    """postgresql://USER:PASSWORD@HOST:PORT/DATABASE; None for an empty one. Raises UsageError."""
    if not url:
        return None
    parts = _split(url, DATABASE_VARIABLE, ("postgresql", "postgres"), "postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    return DatabaseAddress(
        host=parts.hostname or "",
        port=parts.port or 5432,
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")) or "postgres",
    )


def parse_broker(url: str) -> BrokerAddress | None:
    """redis://:PASSWORD@HOST:PORT; None for an empty one. Raises UsageError."""
    if not url:
        return None
    parts = _split(url, REDIS_VARIABLE, ("redis",), "redis://:PASSWORD@HOST:6379")
    return BrokerAddress(host=parts.hostname or "", port=parts.port or 6379, password=unquote(parts.password or ""))


def _split(url: str, variable: str, schemes: tuple[str, ...], expected: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # Without the value: it may hold a password.
        raise UsageError(f"{variable}: expected {expected}, found something else")
    return parts


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


async def _problem(session: aiohttp.ClientSession, address: ServerAddress, protocol: ClientProtocol) -> str | None:
    request = protocol.health()
    try:
        response = await exchange(session, address, request, timeout_s=ANSWER_TIMEOUT_S)
    except EXCHANGE_ERRORS as error:
        return f"{address.url} does not answer: {str(error) or type(error).__name__}"
    if response.status == 401:
        return f"{address.url} refuses the token in {TOKEN_VARIABLE}"
    return None if response.status == 200 else f"{address.url}{request.path} answers {response.status}, expected 200"
