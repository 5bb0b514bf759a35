"""Faults of the embedded environment on real processes: a part stops answering, and answers again after the heal."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest
import redis.asyncio

from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.model.cluster import Topology
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind

pytestmark = pytest.mark.integration

TOPOLOGY = Topology(servers=1, backplane="redis", write_path="db-first", run_id="rtest0000")


async def redis_answers(cluster: EmbeddedCluster) -> bool:
    assert cluster.broker is not None
    address = cluster.broker
    client = redis.asyncio.Redis(
        host=address.host, port=address.port, password=address.password, socket_timeout=0.5, socket_connect_timeout=0.5
    )
    try:
        return bool(await client.ping())
    except redis.RedisError:
        return False
    finally:
        await client.aclose()


async def postgres_answers(cluster: EmbeddedCluster) -> bool:
    try:
        connection = await asyncpg.connect(**cluster.database.arguments, timeout=0.5)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


async def server_answers(cluster: EmbeddedCluster) -> bool:
    headers = {"Authorization": f"Bearer {cluster.token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=0.5)) as session,
            session.get(f"{cluster.servers[0].url}/healthz") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


ANSWERS: dict[str, Callable[[EmbeddedCluster], Awaitable[bool]]] = {
    "broker": redis_answers,
    "database": postgres_answers,
    "server-1": server_answers,
}
ENDINGS = {FaultKind.STOP: "exit code 0", FaultKind.KILL: "killed by signal 9 (SIGKILL)", FaultKind.PAUSE: None}


def test_every_part_can_be_broken_and_comes_back(tmp_path: Path) -> None:
    """Stop, kill and pause: the part stops answering, is no casualty, and answers again at the same address. After the
    run no process is left, also none that was started again."""

    async def scenario() -> list[int]:
        pids = []
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            for kind, ending in ENDINGS.items():
                for part, answers in ANSWERS.items():
                    seen = await cluster.inject(kind, part)
                    assert not await answers(cluster), (kind, part)
                    assert cluster.casualties() == []
                    assert seen.get("ended") == ending, (kind, part)
                    back = await cluster.heal(kind, part)
                    assert await answers(cluster), (kind, part)
                    assert back["at_ns"] > seen["at_ns"]
                    pids += [process.pid for process in cluster.components]
            cluster.parts["broker"].process.send(9)
            async with asyncio.timeout(5):
                while not cluster.casualties():
                    await asyncio.sleep(0.01)
        return pids

    assert not any(psutil.pid_exists(pid) for pid in asyncio.run(scenario()))


def test_a_paused_part_does_not_outlive_the_run(tmp_path: Path) -> None:
    """The run ends while PostgreSQL is frozen. All its processes end too."""

    async def scenario() -> Any:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            await cluster.inject(FaultKind.PAUSE, "database")
            return [
                member.pid
                for process in cluster.components
                for member in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True))
            ]

    assert not any(psutil.pid_exists(pid) for pid in asyncio.run(scenario()))


def test_a_partition_needs_another_environment(tmp_path: Path) -> None:
    """A partition cannot be made with signals. The harness refuses it and changes nothing."""

    async def scenario() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            with pytest.raises(EnvironmentFailure, match="cannot partition broker: expected stop, kill or pause"):
                await cluster.inject(FaultKind.PARTITION, "broker")
            assert await redis_answers(cluster)

    asyncio.run(scenario())
