"""The docker environment on a real engine."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import asyncpg
import psutil
import pytest
import redis.asyncio

from harness.environments import readiness as answers
from harness.environments.docker import docker_cluster as environment
from harness.environments.docker.docker_cluster import DockerCluster, docker_cluster
from harness.environments.docker.recipe import OPEN_FILES, Recipe
from harness.environments.readiness import component_refusal, server_refusal
from harness.model.cluster import Topology
from harness.model.errors import EnvironmentFailure
from harness.model.fault import FaultKind
from harness.protocol.chat import Chat
from tests.harness.environments.docker.engine import existing_volumes, inspected, kill, things_of, volumes

pytestmark = [pytest.mark.integration, pytest.mark.docker]


@pytest.fixture
def topology() -> Iterator[Topology]:
    """The topology of one run. After the test nothing of the run may be left in the engine."""
    run_id = f"rtest{secrets.token_hex(4)}"
    yield Topology(servers=2, backplane="redis", write_path="db-first", run_id=run_id)
    assert things_of(run_id) == []


async def refusals(cluster: DockerCluster) -> dict[str, str]:
    """The parts that do not answer, with the reasons."""
    assert cluster.broker is not None
    questions = {"database": component_refusal(cluster.database), "broker": component_refusal(cluster.broker)}
    chat = Chat()
    questions |= {server.name: server_refusal(server, cluster.token, chat, chat.health()) for server in cluster.servers}
    answers = await asyncio.gather(*questions.values())
    return {name: answer for name, answer in zip(questions, answers, strict=True) if answer}


async def post(cluster: DockerCluster) -> int:
    """Posts to the first server and returns the status of the answer."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {cluster.token}"}) as session,
        session.post(f"{cluster.servers[0].url}/v1/chat.postMessage", json={"channel": "c", "text": "t"}) as response,
    ):
        return response.status


def test_a_cluster_is_up_inside_and_gone_outside(topology: Topology, tmp_path: Path) -> None:
    """Inside the context everything answers and has the requested settings. Afterwards only the logs are left: no
    container, network or volume."""
    said: list[str] = []

    async def scenario() -> list[dict[str, Any]]:
        async with docker_cluster(topology, logs=tmp_path / "logs", say=said.append) as cluster:
            assert await refusals(cluster) == {}
            assert await post(cluster) == 200
            assert cluster.casualties() == []
            assert {process.role for process in cluster.components} in ({"server", "database", "broker"}, set())
            for process in cluster.components:
                assert psutil.Process(process.pid).name() in ("postgres", "redis-server", "python", "python3")
            assert cluster.versions["path"] in ("container addresses", "published loopback ports")
            assert cluster.versions["clock"] in ("shared", "separate")
            return inspected(topology.run_id)

    found = asyncio.run(scenario())
    assert len(found) == 4
    for container in found:
        limits = {limit["Name"]: limit["Hard"] for limit in container["HostConfig"]["Ulimits"]}
        assert limits == {"nofile": OPEN_FILES}
        assert container["Config"]["Healthcheck"]["Test"] == ["NONE"]
        assert container["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
    assert {c["Config"]["User"] for c in found if c["Config"]["Hostname"].startswith("server")} == {"server"}
    assert volumes(found)
    assert not volumes(found) & existing_volumes()
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert set(logs) == {"database.log", "broker.log", "server-1.log", "server-2.log"}
    assert "ready on" in logs["server-1.log"]


def test_secrets_are_asked_for_and_not_to_be_inspected(topology: Topology, tmp_path: Path) -> None:
    """Each part refuses a connection without its secret. Neither `docker inspect` nor a log shows a secret."""

    async def scenario() -> tuple[str, tuple[str, ...]]:
        async with docker_cluster(topology, logs=tmp_path, say=print) as cluster:
            database, broker = cluster.database, cluster.broker
            assert broker is not None
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(host=database.host, port=database.port, user=database.user, password="guess")
            client = redis.asyncio.Redis(host=broker.host, port=broker.port)
            with pytest.raises(redis.AuthenticationError):
                await client.ping()
            await client.aclose()
            async with aiohttp.ClientSession() as session, session.get(f"{cluster.servers[0].url}/healthz") as response:
                assert response.status == 401
            return json.dumps(inspected(topology.run_id)), (cluster.token, database.password, broker.password)

    shown, hidden = asyncio.run(scenario())
    shown += "".join(path.read_text() for path in tmp_path.iterdir())
    assert "POSTGRES_PASSWORD_FILE" in shown
    assert not any(secret in shown for secret in hidden)


def test_faults_are_done_and_undone(topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the part with the fault stops answering. After the heal it answers again at the same address. A fault that
    was injected on purpose is no casualty."""

    async def scenario() -> None:
        async with docker_cluster(topology, logs=tmp_path, say=print) as cluster:
            before = {process.name: process.pid for process in cluster.components}
            monkeypatch.setattr(answers, "ANSWER_TIMEOUT_S", 0.8)  # the cluster is idle; a frozen part never answers
            for kind in (FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.PARTITION):
                for part in ("broker", "database", "server-2"):
                    done = await cluster.inject(kind, part)
                    assert set(await refusals(cluster)) == {part}, kind
                    if kind in (FaultKind.STOP, FaultKind.KILL):
                        assert done["exit_code"] == (137 if kind is FaultKind.KILL else 0)
                        assert done["finished_at"] > "2"
                    healed = await cluster.heal(kind, part)
                    assert await refusals(cluster) == {}, kind
                    assert healed["at_ns"] >= healed["started_ns"] > done["at_ns"]
                    assert cluster.casualties() == []
            after = {process.name: process.pid for process in cluster.components}
            assert after.keys() == before.keys()
            assert {name for name in after if after[name] == before[name]} <= {"server-1"}, "restarted ones are others"

    asyncio.run(scenario())


def test_all_servers_at_once(topology: Topology, tmp_path: Path) -> None:
    """All servers are restarted together. Afterwards the cluster accepts posts again."""

    async def scenario() -> None:
        async with docker_cluster(topology, logs=tmp_path, say=print) as cluster:
            names = [server.name for server in cluster.servers]
            await asyncio.gather(*(cluster.inject(FaultKind.RESTART, name) for name in names))
            assert set(await refusals(cluster)) == set(names)
            await asyncio.gather(*(cluster.heal(FaultKind.RESTART, name) for name in names))
            assert await post(cluster) == 200
            assert cluster.casualties() == []

    asyncio.run(scenario())


def test_a_container_that_dies_is_a_casualty(topology: Topology, tmp_path: Path) -> None:
    """The only casualty names the container, how it ended, and the end of its log."""

    async def scenario() -> list[str]:
        async with docker_cluster(replace(topology, servers=1), logs=tmp_path, say=print) as cluster:
            await asyncio.to_thread(kill, topology.run_id, "server-1")
            async with asyncio.timeout(5):
                while not cluster.casualties():
                    await asyncio.sleep(0.01)
            return list(cluster.casualties())

    (casualty,) = asyncio.run(scenario())
    assert "server-1 ended unexpectedly: exit code 137 (SIGKILL)" in casualty
    assert "ready on" in casualty


def test_published_ports(topology: Topology, tmp_path: Path) -> None:
    """If the containers' addresses cannot be reached, all traffic goes through published loopback ports. The ports
    survive faults. A cluster with the backplane in memory has no Redis."""

    async def scenario() -> None:
        alone = replace(topology, servers=1, backplane="memory")
        async with docker_cluster(alone, logs=tmp_path, say=print, publish=True) as cluster:
            assert cluster.versions["path"] == "published loopback ports"
            assert cluster.broker is None
            assert "broker" not in cluster.parts
            assert cluster.servers[0].host == cluster.database.host == "127.0.0.1"
            assert await post(cluster) == 200
            for kind in (FaultKind.KILL, FaultKind.PARTITION):
                await cluster.inject(kind, "server-1")
                await cluster.heal(kind, "server-1")
            assert await post(cluster) == 200

    asyncio.run(scenario())


def test_a_taken_port_is_tried_again(topology: Topology, tmp_path: Path) -> None:
    """Another program takes the port after the harness looked and before the container starts. The harness tries
    another port."""
    import socket

    from harness.environments import ports

    with socket.create_server(("127.0.0.1", 0)) as taken:
        answers = iter([[taken.getsockname()[1]]])

        def first_taken(count: int) -> list[int]:
            return next(answers, None) or ports.free_ports(count)

        async def scenario() -> None:
            alone = replace(topology, servers=1, backplane="memory")
            with mock.patch.object(environment, "free_ports", first_taken):
                async with docker_cluster(alone, logs=tmp_path, say=print, publish=True) as cluster:
                    assert await post(cluster) == 200

        asyncio.run(scenario())


@contextmanager
def planted(**changes: Any) -> Iterator[None]:
    """Servers are made by a changed recipe."""
    original = environment.server_recipe

    def changed(*arguments: Any) -> Recipe:
        return replace(original(*arguments), **changes)

    with mock.patch.object(environment, "server_recipe", changed):
        yield


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (
            ("sh", "-c", "echo planted reason >&2; exit 3"),
            r"(?s)server-\d ended unexpectedly: exit code 3; .*planted reason",
        ),
        (("/nothing/here",), r"(?s)server-\d cannot be started: .*/nothing/here"),
    ],
)
def test_a_start_that_fails_says_why(topology: Topology, tmp_path: Path, command: tuple[str, ...], reason: str) -> None:
    """The message holds the end of the log or the engine's reason. Nothing is left running."""

    async def scenario() -> None:
        async with docker_cluster(topology, logs=tmp_path, say=print):
            raise AssertionError("it must not come up")

    with planted(command=command), pytest.raises(EnvironmentFailure, match=reason):
        asyncio.run(scenario())
    assert (tmp_path / "database.log").read_text()


def test_a_cluster_that_is_not_reached_says_where_it_was_looked_for(topology: Topology, tmp_path: Path) -> None:
    """A server runs but does not answer in time. The message gives its last answer, its address and its log."""

    async def scenario() -> None:
        async with docker_cluster(topology, logs=tmp_path, say=print):
            raise AssertionError("it must not come up")

    with (
        planted(command=("sh", "-c", "echo asleep; exec sleep 60")),
        mock.patch.object(environment, "READY_LIMIT_S", 5.0),
        pytest.raises(
            EnvironmentFailure, match=r"(?s)server-\d was not ready after 5 s: .*; asked at .*:\d+; .*asleep"
        ),
    ):
        asyncio.run(scenario())
