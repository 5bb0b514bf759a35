"""A cluster that runs already, of any origin, reached by its servers' addresses; nothing of it is started or stopped."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from harness.model.cluster import BrokerAddress, ClusterProcess, DatabaseAddress, ServerAddress
from harness.model.errors import EnvironmentFailure, UsageError

TOKEN_VARIABLE = "HARNESS_TOKEN"  # noqa: S105 - the name of a variable, not a token


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


@asynccontextmanager
async def external(server_urls: tuple[str, ...]) -> AsyncIterator[ExternalCluster]:
    """Look whether every server answers, and hand the cluster out.

    Raises UsageError for addresses that are none, EnvironmentFailure for servers that do not answer, each with all of them.
    """
    addresses = parse_addresses(server_urls)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise UsageError(f"--environment external: expected the cluster's token in {TOKEN_VARIABLE}, found none")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        answers = await asyncio.gather(*(_problem(session, address) for address in addresses))
    if problems := [problem for problem in answers if problem]:
        raise EnvironmentFailure("; ".join(problems))
    yield ExternalCluster(servers=addresses, token=token)


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


async def _problem(session: aiohttp.ClientSession, address: ServerAddress) -> str | None:
    try:
        async with session.get(f"{address.url}/healthz", timeout=aiohttp.ClientTimeout(total=5)) as response:
            if response.status == 401:
                return f"{address.url} refuses the token in {TOKEN_VARIABLE}"
            return None if response.status == 200 else f"{address.url}/healthz answers {response.status}, expected 200"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"{address.url} does not answer: {str(error) or type(error).__name__}"
