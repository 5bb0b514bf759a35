"""Faults of links in real clusters. The servers at the two ends lose only the backplane, and get it back after the
heal."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.model.cluster import Topology
from harness.model.fault import FaultKind

pytestmark = pytest.mark.integration


async def answers(cluster: EmbeddedCluster, path: str) -> list[int]:
    """The status codes of all servers' answers."""
    headers = {"Authorization": f"Bearer {cluster.token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=2)) as session:
        found = []
        for server in cluster.servers:
            async with session.get(f"{server.url}{path}") as response:
                found.append(response.status)
        return found


async def until_ready(cluster: EmbeddedCluster, *wanted: int) -> None:
    async with asyncio.timeout(15):
        while await answers(cluster, "/readyz") != list(wanted):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("backplane", "link", "kinds", "broken"),
    [
        ("mesh", "server-2_server-1", (FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE), (503, 503, 200)),
        ("postgres-notify", "server-2_database", (FaultKind.KILL, FaultKind.PAUSE), (200, 503, 200)),
    ],
)
def test_the_servers_at_the_ends_lose_the_backplane_and_get_it_back(
    tmp_path: Path, backplane: str, link: str, kinds: tuple[FaultKind, ...], broken: tuple[int, ...]
) -> None:
    """A server that is not at an end of the link stays ready. All servers stay alive, and no part is a casualty."""
    topology = Topology(servers=3, backplane=backplane, write_path="db-first", run_id="r", relayed=(link,))

    async def main() -> None:
        async with embedded(topology, logs=tmp_path) as cluster:
            await until_ready(cluster, 200, 200, 200)
            for kind in kinds:
                await cluster.inject(kind, link)
                await until_ready(cluster, *broken)
                assert await answers(cluster, "/healthz") == [200] * 3
                assert cluster.casualties() == []
                await cluster.heal(kind, link)
                await until_ready(cluster, 200, 200, 200)

    asyncio.run(main())
