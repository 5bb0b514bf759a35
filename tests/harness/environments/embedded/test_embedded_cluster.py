import asyncio
import json
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
import asyncpg
import numpy as np
import psutil
import pytest
import redis.asyncio

from harness.components import adapter_of
from harness.environments import open_environment
from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.environments.external import external
from harness.model.cluster import Topology
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.message import channel_name, message_text
from harness.observation.audit import audit
from harness.observation.machine import describe_machine
from harness.observation.telemetry import Telemetry
from harness.observation.trace_collector import collect_traces
from harness.protocol.chat import Chat
from harness.recording.format import FOREIGN, SOUND
from tests.end_to_end.watched_run import own_temporary_folder
from tests.harness.plans import a_plan

pytestmark = pytest.mark.integration

TOPOLOGY = Topology(servers=2, backplane="redis", write_path="db-first", run_id="rtest0000")
PLAN = a_plan(servers=2, clients=4, audience=4, rate_hz=5.0, duration_s=1.0)


async def post(session: aiohttp.ClientSession, cluster: EmbeddedCluster, server: int, message: int) -> None:
    text = message_text(PLAN.run_id, message, PLAN.text_bytes)
    body = {"channel": channel_name(PLAN.run_id, 0), "text": text}
    async with session.post(f"{cluster.servers[server].url}/v1/chat.postMessage", json=body) as response:
        assert response.status == 200, await response.text()


def test_a_cluster_is_up_inside_and_gone_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is ready when the context is entered. Afterwards no process and no temporary folder is left, and the
    logs are kept."""

    async def scenario() -> list[int]:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            assert {process.role for process in cluster.components} == {"server", "database", "broker"}
            assert cluster.casualties() == []
            return [process.pid for process in cluster.components]

    with own_temporary_folder() as temporary:
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        pids = asyncio.run(scenario())
        assert not any(psutil.pid_exists(pid) for pid in pids)
        assert list(temporary.iterdir()) == []
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {
        *("database.log", "broker.log", "server-1.log", "server-2.log")
    }


def test_observation_of_a_real_cluster(tmp_path: Path) -> None:
    """Traces and audit find the messages that the test posted. Telemetry and machine facts hold all parts of the
    cluster."""
    (tmp_path / "arrays").mkdir()

    async def scenario() -> dict[str, Any]:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            headers = {"Authorization": f"Bearer {cluster.token}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                async with Telemetry(cluster, generator=tuple, path=tmp_path / "telemetry.jsonl"):
                    for message in range(4):
                        await post(session, cluster, message % 2, message)
                    await asyncio.sleep(1.2)
                url = f"{cluster.servers[0].url}/v1/chat.postMessage"
                foreign = {"channel": channel_name(PLAN.run_id, 0), "text": "not ours"}
                async with session.post(url, json=foreign):
                    pass
                async with session.post(url, json={"channel": "elsewhere", "text": "not ours"}):
                    pass
            await collect_traces(cluster, PLAN, Chat(), tmp_path)
            await audit(cluster, PLAN, Chat(), tmp_path)
            return await describe_machine(cluster, tmp_path)

    machine = asyncio.run(scenario())
    stored = np.load(tmp_path / "arrays" / "stored.npy")
    assert stored["message"].tolist() == [0, 1, 2, 3, -1]
    assert stored["flaw"].tolist() == [SOUND] * 4 + [FOREIGN]
    assert stored["seq"].tolist() == [1, 2, 3, 4, 5]
    accepted = [np.load(tmp_path / "arrays" / f"accepted-0{server}.npy") for server in (0, 1)]
    assert [rows["seq"].tolist() for rows in accepted] == [[1, 3, 5], [2, 4]]
    assert all((rows["committed_ns"] > rows["accepted_ns"]).all() for rows in accepted)
    samples = [json.loads(line) for line in (tmp_path / "telemetry.jsonl").read_text().splitlines()]
    assert len(samples) >= 2
    assert {"machine", "processes", "broker", "database"} <= set(samples[-1])
    assert {"server-1", "server-2", "database", "broker", "harness"} <= set(samples[-1]["processes"])
    assert machine["cluster"]["database"]["fsync"] == "on"
    assert machine["cluster"]["broker"]["appendonly"] == "no"


def test_the_audit_through_history_finds_the_same(tmp_path: Path) -> None:
    """Without access to the database the audit reads the same rows from the protocol's history route."""
    for name in ("direct", "history"):
        (tmp_path / name / "arrays").mkdir(parents=True)

    async def scenario() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            headers = {"Authorization": f"Bearer {cluster.token}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                for message in range(3):
                    await post(session, cluster, 0, message)
            await audit(cluster, PLAN, Chat(), tmp_path / "direct")
            with mock.patch.dict(os.environ, {"HARNESS_TOKEN": cluster.token}):
                urls = tuple(server.url for server in cluster.servers)
                async with external(replace(TOPOLOGY, server_urls=urls), Chat()) as outside:
                    await audit(outside, PLAN, Chat(), tmp_path / "history")

    asyncio.run(scenario())
    direct, history = (np.load(tmp_path / name / "arrays" / "stored.npy") for name in ("direct", "history"))
    assert len(direct) == 3
    assert (direct == history).all()


def test_secrets_are_asked_for_and_private(tmp_path: Path) -> None:
    """Each part refuses a connection without its secret and listens on loopback only. Only their owner can read files
    with secrets."""

    async def scenario() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
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
            for process in cluster.components:
                for connection in psutil.Process(process.pid).net_connections("tcp"):
                    assert connection.laddr.ip == "127.0.0.1"
                assert cluster.token not in " ".join(psutil.Process(process.pid).cmdline())
            servers = [process.pid for process in cluster.components if process.role == "server"]
            (folder,) = {Path(psutil.Process(pid).cmdline()[-1]).parent for pid in servers}
            for path in (*folder.glob("*.json"), *folder.glob("*.conf")):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path

    asyncio.run(scenario())


def test_a_dead_part_is_a_casualty(tmp_path: Path) -> None:
    """The casualty names the part, how it ended, and its log."""

    async def scenario() -> str:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            victim = next(process for process in cluster.components if process.role == "broker")
            psutil.Process(victim.pid).kill()
            async with asyncio.timeout(5):
                while not cluster.casualties():
                    await asyncio.sleep(0.01)
            return "".join(cluster.casualties())

    casualty = asyncio.run(scenario())
    assert "broker ended unexpectedly: killed by signal 9 (SIGKILL)" in casualty
    assert "broker.log" in casualty


def test_telemetry_survives_a_frozen_broker(tmp_path: Path) -> None:
    """A part that does not answer is absent from the sample. The other parts are sampled as before."""

    async def scenario() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
            victim = next(process for process in cluster.components if process.role == "broker")
            async with Telemetry(cluster, generator=tuple, path=tmp_path / "telemetry.jsonl"):
                await asyncio.sleep(0.5)
                psutil.Process(victim.pid).suspend()
                await asyncio.sleep(2.5)
                psutil.Process(victim.pid).resume()

    asyncio.run(scenario())
    samples = [json.loads(line) for line in (tmp_path / "telemetry.jsonl").read_text().splitlines()]
    assert "broker" in samples[0]
    assert any("broker" not in sample and "database" in sample for sample in samples)


def test_a_server_that_dies_at_start_is_quoted(tmp_path: Path) -> None:
    """The message quotes the server's reason. Nothing is left running."""
    program = "harness.environments.embedded.embedded_cluster.python_program"
    broken = ["/bin/sh", "-c", "echo planted reason >&2; exit 3"]

    async def scenario() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path / "logs"):
            raise AssertionError("it must not come up")

    with (
        mock.patch(program, return_value=broken),
        pytest.raises(EnvironmentFailure, match=r"(?s)server-\d ended unexpectedly: exit code 3.*planted reason"),
    ):
        asyncio.run(scenario())
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or ())]


def test_a_taken_port_is_tried_again(tmp_path: Path) -> None:
    """Another program takes the port after the harness looked and before the part starts. The harness tries another
    port."""
    import socket

    from harness.environments import ports

    with socket.create_server(("127.0.0.1", 0)) as taken:
        answers = iter([[taken.getsockname()[1]]])

        def first_taken(count: int, host: str = "127.0.0.1") -> list[int]:
            return next(answers, None) or ports.free_ports(count)

        async def scenario() -> None:
            with mock.patch("harness.environments.embedded.start.free_ports", first_taken):
                async with embedded(TOPOLOGY, logs=tmp_path / "logs") as cluster:
                    assert cluster.broker is not None
                    ports_used = {cluster.broker.port, cluster.database.port}
                    assert taken.getsockname()[1] not in ports_used
                    assert next(answers, None) is None, "the taken port was given out"

        asyncio.run(scenario())


@pytest.mark.parametrize("name", ["swarm", "moon"])
def test_an_unknown_environment_is_refused(name: str, tmp_path: Path) -> None:
    """The refusal lists the environments that exist."""
    with pytest.raises(UsageError, match="expected one of embedded, docker, external"):
        open_environment(name, topology=TOPOLOGY, folder=tmp_path, say=print)


@pytest.mark.integration
def test_the_users_environment_does_not_reach_the_cluster(tmp_path: Path) -> None:
    """Variables for PostgreSQL's clients belong to the user's own databases. No part of the harness's cluster reads
    them."""
    spoiled = {
        **{
            "PGSSLMODE": "verify-full",
            "PGSSLNEGOTIATION": "direct",
            "PGTARGETSESSIONATTRS": "standby",
            "PGGSSLIB": "odd",
        },
        **{"PGHOST": "192.0.2.1", "PGPORT": "1", "PGUSER": "odd", "PGPASSWORD": "odd", "PGDATABASE": "odd"},
        **{"PGSERVICE": "odd", "PGDATA": "/odd", "PGOPTIONS": "-c odd=1", "PGPASSFILE": "/odd", "PYTHONOPTIMIZE": "2"},
        **{"LC_ALL": "xx_YY.odd", "LANG": "odd", "TZ": "Nowhere/Bad", "PGSERVICEFILE": "/odd", "LD_PRELOAD": "/odd.so"},
    }

    async def main() -> None:
        async with embedded(TOPOLOGY, logs=tmp_path) as cluster:
            assert await adapter_of("postgresql").refusal(cluster.database) is None
            assert await adapter_of("postgresql").settings(cluster.database)

    with mock.patch.dict(os.environ, spoiled):
        asyncio.run(main())
