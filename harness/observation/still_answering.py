"""Which servers still answer after the load: a server that stopped during the run was not part of the measured
cluster."""

import asyncio
from collections.abc import Mapping

from harness.model.cluster import Cluster
from harness.protocol.contract import ClientProtocol
from harness.protocol.exchange import open_session, refusal

ANSWER_TIMEOUT_S = 5.0


async def ask_servers(cluster: Cluster, protocol: ClientProtocol) -> Mapping[str, str]:
    """By the server's name: why it does not answer its health request with 200 within ``ANSWER_TIMEOUT_S``; empty if it
    does. Never raises for a server that does not answer."""
    async with open_session(protocol, cluster.token) as session:
        problems = await asyncio.gather(
            *(refusal(session, server, protocol.health(), timeout_s=ANSWER_TIMEOUT_S) for server in cluster.servers)
        )
    return {server.name: problem or "" for server, problem in zip(cluster.servers, problems, strict=True)}
