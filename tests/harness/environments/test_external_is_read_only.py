"""What the harness sends to the parts of an external cluster. The harness may read them, but must not change
anything."""

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
import redis

from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.model.cluster import Endpoint, Topology

ROLE = "harness_reader"
STATEMENTS = (
    *("BEGIN READ ONLY;", "COMMIT;", "ROLLBACK;"),
    "SELECT name, setting FROM pg_settings WHERE name = ANY ($1)",
    "SELECT xact_commit AS commits, ",
    "SELECT wait_event_type || '_' || wait_event, count(*) FROM pg_stat_activity",
    'SELECT channel, seq, text FROM "messages" WHERE ',
)
"""Every statement that a run may send to PostgreSQL begins with one of these."""
COMMANDS = ("ping", "info", "hello", "config|get", "client|list", "client|setinfo")
"""Every command that a run may send to Redis."""


@pytest.mark.integration
def test_a_run_reads_the_database_and_the_broker_and_changes_nothing(tmp_path: Path) -> None:
    """Scenario C logs statements only in clusters that the harness starts; here the cluster belongs to another person.
    The database role and the broker user of the harness have no right to change anything. The run neither needs nor
    requests such a right."""

    async def main() -> None:
        topology = Topology(servers=1, backplane="redis", write_path="db-first", run_id="rtest0000")
        async with embedded(topology, logs=tmp_path / "logs") as cluster:
            assert cluster.broker is not None
            broker = redis.Redis(port=cluster.broker.port, password=cluster.broker.password)
            admin = await asyncpg.connect(**cluster.database.arguments)
            with closing(broker):
                await admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'secret'")
                await admin.execute(f"GRANT SELECT ON messages TO {ROLE}")
                await admin.execute(f"ALTER ROLE {ROLE} SET log_statement = 'all'")
                broker.execute_command("ACL", "SETUSER", ROLE, "on", ">secret", *(f"+{name}" for name in COMMANDS))
                before = await admin.fetch("SELECT name, setting FROM pg_settings ORDER BY name"), broker.config_get()
                folder = await asyncio.to_thread(run, cluster, tmp_path / "results")
                after = await admin.fetch("SELECT name, setting FROM pg_settings ORDER BY name"), broker.config_get()
                assert after == before
                assert not await admin.fetch("SELECT * FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'")
                assert broker.execute_command("ACL", "LOG") == []
            await admin.close()
            assert "query_log" not in json.loads((folder / "plan.json").read_text())
            statements = sent(tmp_path / "logs" / "database.log")
            assert [each for each in statements if not each.startswith(STATEMENTS)] == []
            assert {known for known in STATEMENTS for each in statements if each.startswith(known)} >= {*STATEMENTS[3:]}

    asyncio.run(main())


def run(cluster: EmbeddedCluster, out: Path) -> Path:
    """Makes one run against the cluster as an external one. Returns the folder of its recording."""

    def url(scheme: str, endpoint: Endpoint, database: str = "") -> str:
        return f"{scheme}://{ROLE}:secret@127.0.0.1:{endpoint.port}{database}"

    assert cluster.broker is not None
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "harness.cli", "run", "scenario-c", "--environment", "external"),
            *("--messages-table", "messages"),
            *("--server", cluster.servers[0].url, "--clients", "4", "--audience", "2", "--rate", "20"),
            *("--duration", "2", "--size", "smoke", "--force", "--no-report", "--out", str(out)),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        env={
            **os.environ,
            "HARNESS_TOKEN": cluster.token,
            "HARNESS_DATABASE": url("postgresql", cluster.database, "/postgres"),
            "HARNESS_REDIS": url("redis", cluster.broker),
        },
    )
    assert ended.returncode in (0, 3), ended.stdout + ended.stderr
    (folder,) = [path.parent for path in out.rglob("plan.json")]
    telemetry = (folder / "telemetry.jsonl").read_text()
    assert '"wal_bytes"' in telemetry
    assert '"pubsub_channels"' in telemetry
    assert "not collected" not in ended.stderr
    return folder


def sent(log: Path) -> list[str]:
    """The statements in PostgreSQL's log, each on one line."""
    found = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", log.read_text())
    return [" ".join(statement.split()) for statement in found]
