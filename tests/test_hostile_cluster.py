"""Clusters of other people: TLS, proxies, wrong passwords, missing rights and unusual addresses."""

import asyncio
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import asyncpg
import pytest
import redis

from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.environments.external import external
from harness.model.cluster import ServerAddress, Topology
from harness.model.errors import EnvironmentFailure
from harness.protocol.chat import Chat
from tests.end_to_end.watched_run import QUICK
from tests.tls_proxy import POSTGRESQL_ASKS, Authority, proxied

SMALL = "scenario-a --size smoke --duration 1 --clients 8 --audience 4 --rate 20 --force --environment external"
ROOT = Path(__file__).resolve().parents[1]
NOWHERE = "http://127.0.0.1:1"


def harness(command: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    return subprocess.run(
        [*QUICK, *shlex.split(command)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**clean, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "HARNESS_TOKEN": "t", **environment},
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """Two servers with PostgreSQL and Valkey, for all tests of this file."""
    topology = Topology(servers=2, backplane="redis", write_path="db-first", run_id="rtest0000")
    found: list[EmbeddedCluster] = []
    up, done = threading.Event(), threading.Event()

    async def main() -> None:
        try:
            async with embedded(topology, logs=tmp_path_factory.mktemp("logs")) as running:
                found.append(running)
                up.set()
                await asyncio.to_thread(done.wait)
        finally:
            up.set()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert up.wait(60)
        yield found[0]
    finally:
        done.set()
        thread.join(30)


# Addresses (item 6) and secrets (item 13) are checked before anything starts.


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        ("--server http://h:8000/a?b=c", {}, "found a query"),
        ("--server http://h:99999 --server ws://x", {}, "a port that is no number"),
        (f"--server {NOWHERE} --server {NOWHERE}/", {}, "the same address"),
        (f"--server {NOWHERE} --ca /nowhere.pem", {}, "expected an address with https://"),
        ("--server https://h --ca /nowhere.pem", {}, "--ca /nowhere.pem: expected certificates"),
        ("--server https://h --ca /dev/null --insecure", {}, "--insecure verifies nothing"),
        (f"--server {NOWHERE}", {"HARNESS_DATABASE": "postgresql://a,b/c"}, "several hosts"),
        (f"--server {NOWHERE}", {"HARNESS_DATABASE": "postgresql://h/c?sslmode=on"}, "a sslmode that is none of"),
        (f"--server {NOWHERE}", {"HARNESS_REDIS": "http://h"}, "HARNESS_REDIS: expected redis://"),
        (f"--server {NOWHERE}", {"HARNESS_REDIS": "redis://h:0"}, "a port that is no number"),
        (f"--server {NOWHERE} --messages-table messages", {}, "expected the database's address in the variable"),
        (f"--server {NOWHERE}", {"HARNESS_TOKEN": "a b"}, "white space in the middle"),
        (f"--server {NOWHERE}", {"HARNESS_TOKEN": "\n"}, "found white space alone"),
        (f"--server {NOWHERE}", {"HARNESS_TOKEN": "größe"}, "a character beyond ASCII"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_start(
    command: str, options: str, environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    """The exit code is 2, with one sentence for each problem. Nothing is written. `plan` and `run` give the same
    message."""
    shown = harness(f"{command} {SMALL} {options}", tmp_path, **environment)
    assert shown.returncode == 2, shown.stderr
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_rebroadcast_reads_addresses_and_tokens_alike(tmp_path: Path) -> None:
    """An impossible address or token gives exit code 2. A server that does not answer gives exit code 4 and a message
    in plain words."""
    assert harness("rebroadcast --server http://h:0", tmp_path).returncode == 2
    assert harness(f"rebroadcast --server {NOWHERE}", tmp_path, HARNESS_TOKEN="a b").returncode == 2
    refused = harness(f"rebroadcast --server {NOWHERE}", tmp_path, HARNESS_TOKEN="t\n")
    assert refused.returncode == 4
    assert "connection refused" in refused.stderr
    assert "ssl" not in refused.stderr


# TLS, paths and IPv6 (item 7).


@pytest.mark.integration
def test_a_run_over_tls_behind_a_proxy(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """Posts, sockets, history and traces all use TLS, below a path, with a name and with an IPv6 address."""
    authority = Authority(tmp_path)
    first, second = cluster.servers
    with (
        proxied(first, authority.context("localhost"), path="/chat") as port,
        proxied(second, authority.context("::1"), host="::1") as other,
    ):
        urls = f"--server https://localhost:{port}/chat/ --server https://[::1]:{other}"
        shown = harness(f"run {SMALL} {urls} --ca authority.pem", tmp_path, HARNESS_TOKEN=f"{cluster.token}\n")
        assert shown.returncode in (0, 3), shown.stdout + shown.stderr
        assert "certificates: verified with authority.pem" in shown.stdout
        assert "not collected" not in shown.stderr
        folder = (tmp_path / "results/scenario-a/latest").resolve()
        assert {"stored.npy", "accepted-00.npy", "accepted-01.npy"} <= {
            each.name for each in (folder / "arrays").iterdir()
        }
        assert "--ca authority.pem" in (folder / "report.html").read_text()
        asked = harness(f"rebroadcast {urls} --insecure", tmp_path, HARNESS_TOKEN=cluster.token)
        assert asked.returncode == 0, asked.stderr


@pytest.mark.integration
def test_a_run_that_verifies_no_certificate_says_so(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """The start of the run, the verdict and the report say so."""
    with proxied(cluster.servers[0], Authority(tmp_path).context("elsewhere.example", expired=True)) as port:
        command = f"run {SMALL} --server https://127.0.0.1:{port} --insecure"
        shown = harness(command, tmp_path, HARNESS_TOKEN=cluster.token)
    assert shown.returncode in (0, 3), shown.stdout + shown.stderr
    words = "not verified: any certificate was accepted"
    assert words in shown.stderr
    assert words in shown.stdout
    assert words in (tmp_path / "results/scenario-a/latest/report.html").read_text()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "expired", "known", "words"),
    [
        ("127.0.0.1", False, False, "its certificate is not accepted: unable to get local issuer certificate"),
        ("127.0.0.1", True, True, "its certificate is not accepted: certificate has expired"),
        ("chat.example", False, True, "its certificate is not accepted: IP address mismatch"),
    ],
)
def test_a_certificate_that_is_not_accepted(
    cluster: EmbeddedCluster, tmp_path: Path, name: str, expired: bool, known: bool, words: str
) -> None:
    """The exit code is 4 with the reason, before any load."""
    authority = Authority(tmp_path)
    with proxied(cluster.servers[0], authority.context(name, expired=expired)) as port:
        option = "--ca authority.pem" if known else ""
        shown = harness(f"run {SMALL} --server https://127.0.0.1:{port} {option}", tmp_path)
    assert shown.returncode == 4
    assert words in shown.stderr
    assert "--ca FILE" in shown.stderr
    assert "connect" not in shown.stderr.splitlines()[-1]


@pytest.mark.integration
def test_a_server_without_tls_is_told_as_such(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """A https:// address is used for a plain server, and a http:// address for a server with TLS."""
    port = cluster.servers[0].port
    shown = harness(f"run {SMALL} --server https://127.0.0.1:{port}", tmp_path, HARNESS_TOKEN=cluster.token)
    assert shown.returncode == 4
    assert "is it a server of http://?" in shown.stderr
    with proxied(cluster.servers[0], Authority(tmp_path).context("127.0.0.1")) as secure:
        assert harness(f"run {SMALL} --server http://127.0.0.1:{secure}", tmp_path).returncode == 4


# Credentials and rights (item 11).


@pytest.mark.integration
def test_access_is_tried_before_the_load(cluster: EmbeddedCluster) -> None:
    """If a part does not let the harness read, the message names the part and the reason within seconds."""
    assert cluster.broker is not None
    at_database, at_broker = f"127.0.0.1:{cluster.database.port}", f"127.0.0.1:{cluster.broker.port}"

    async def make_roles() -> None:
        admin = await asyncpg.connect(**cluster.database.arguments)
        await admin.execute("CREATE ROLE poor LOGIN PASSWORD 'secret'; CREATE TABLE odd (channel text)")
        await admin.execute("GRANT SELECT ON odd TO poor")
        await admin.close()

    asyncio.run(make_roles())
    with redis.Redis(port=cluster.broker.port, password=cluster.broker.password) as admin:
        admin.execute_command("ACL", "SETUSER", "poor", "on", ">secret", "+ping", "+hello", "+auth")
    for url, table, words in (
        (f"postgresql://postgres:wrong@{at_database}", "", "password authentication failed"),
        (f"postgresql://nobody:x@{at_database}", "", "password authentication failed"),
        (f"postgresql://poor:secret@{at_database}/gone", "", 'database "gone" does not exist'),
        (f"postgresql://poor:secret@{at_database}", "messages", "permission denied for table"),
        (f"postgresql://poor:secret@{at_database}", "gone", 'relation "gone" does not exist'),
        (f"postgresql://poor:secret@{at_database}", "odd", 'column "seq" does not exist'),
        ("postgresql://u:p@127.0.0.1:1", "", "onnect"),
        ("postgresql://u:p@no-such-host.invalid", "", "at no-such-host.invalid:5432"),
        (f"postgresql://poor:secret@{at_database}?sslmode=require", "", "SSL"),
        (f"redis://:wrong@{at_broker}", "", "invalid username-password pair"),
        (f"redis://{at_broker}", "", "authenticated"),
        (f"redis://poor:secret@{at_broker}", "", "no permissions to run"),
        ("redis://:x@127.0.0.1:1", "", "onnect"),
        (f"rediss://:x@{at_broker}", "", "127.0.0.1"),
    ):
        began_s = time.monotonic()
        found = refusal(cluster, url, table)
        assert words in found, url
        assert "secret" not in found
        assert time.monotonic() - began_s < 12, url


def refusal(cluster: EmbeddedCluster, url: str, table: str = "") -> str:
    """The reason why the environment does not open with this address of a database or a broker. It is empty if the
    environment opens."""
    variable = "HARNESS_DATABASE" if url.startswith("p") else "HARNESS_REDIS"
    topology = Topology(
        servers=1,
        backplane="redis",
        write_path="db-first",
        run_id="rtest",
        server_urls=(cluster.servers[0].url,),
        messages_table=table,
    )

    async def look() -> str:
        try:
            async with external(topology, Chat()):
                return ""
        except EnvironmentFailure as error:
            return str(error).removeprefix(f"{variable}: ")

    with mock.patch.dict(os.environ, {"HARNESS_TOKEN": cluster.token, variable: url}):
        return asyncio.run(look())


@pytest.mark.integration
def test_a_database_and_a_broker_with_tls(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """For PostgreSQL the address's sslmode decides how the certificate is verified, like in libpq. For rediss:// it is
    always verified."""
    assert cluster.broker is not None
    authority = Authority(tmp_path)
    database = ServerAddress(name="database", host="127.0.0.1", port=cluster.database.port)
    with proxied(database, authority.context("localhost"), asked=POSTGRESQL_ASKS) as port:
        login = "postgresql://{user}:{password}".format(**cluster.database.arguments)
        for host, mode, words in (
            ("127.0.0.1", "require", ""),
            ("127.0.0.1", "prefer", ""),
            ("127.0.0.1", "disable", ""),
            ("127.0.0.1", f"verify-ca&sslrootcert={authority.file}", ""),
            ("localhost", f"verify-full&sslrootcert={authority.file}", ""),
            ("127.0.0.1", f"verify-full&sslrootcert={authority.file}", "its certificate is not accepted: IP address"),
            ("localhost", "verify-full", "its certificate is not accepted: unable to get local issuer"),
        ):
            found = refusal(cluster, f"{login}@{host}:{port}/postgres?sslmode={mode}", "messages")
            assert words in found, mode
            assert bool(found) == bool(words), (mode, found)
    broker = ServerAddress(name="broker", host="127.0.0.1", port=cluster.broker.port)
    with proxied(broker, authority.context("127.0.0.1")) as port:
        secure = f"rediss://:{cluster.broker.password}@127.0.0.1:{port}"
        assert refusal(cluster, f"{secure}?ssl_ca_certs={authority.file}") == ""
        assert "its certificate is not accepted" in refusal(cluster, secure)


@pytest.mark.integration
def test_a_part_that_refuses_ends_the_run_before_the_load(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """The exit code is 4, and the message gives the reason."""
    url = f"postgresql://postgres:wrong@127.0.0.1:{cluster.database.port}"
    shown = harness(
        f"run {SMALL} --server {cluster.servers[0].url}", tmp_path, HARNESS_TOKEN=cluster.token, HARNESS_DATABASE=url
    )
    assert shown.returncode == 4
    assert "HARNESS_DATABASE: PostgreSQL at 127.0.0.1" in shown.stderr
    assert "password authentication failed" in shown.stderr
    assert "connect" not in shown.stderr.splitlines()[-2]


@pytest.mark.integration
def test_a_wrong_token_is_told_before_the_load(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    shown = harness(f"run {SMALL} --server {cluster.servers[0].url}", tmp_path, HARNESS_TOKEN="wrong")
    assert shown.returncode == 4
    assert "refuses the token in HARNESS_TOKEN" in shown.stderr


@pytest.mark.integration
def test_a_user_of_redis_that_may_only_read_is_enough(cluster: EmbeddedCluster, tmp_path: Path) -> None:
    """The password in `redis://USER:PASSWORD@HOST` has special characters, written as %XX. The user's PG variables name
    another database and are ignored."""
    assert cluster.broker is not None
    with redis.Redis(port=cluster.broker.port, password=cluster.broker.password) as admin:
        rights = ("+ping", "+info", "+hello", "+config|get", "+client|list")
        admin.execute_command("ACL", "SETUSER", "reader", "on", ">a b/c@d", *rights)
    arguments = cluster.database.arguments
    shown = harness(
        f"run {SMALL} --server {cluster.servers[0].url} --messages-table messages --no-report",
        tmp_path,
        HARNESS_TOKEN=cluster.token,
        HARNESS_REDIS=f"redis://reader:a%20b%2Fc%40d@127.0.0.1:{cluster.broker.port}/0",
        HARNESS_DATABASE="postgresql://{user}:{password}@{host}:{port}/{database}".format(**arguments),
        **{"PGSSLMODE": "verify-full", "PGHOST": "192.0.2.1", "PGSERVICE": "odd", "PGPASSFILE": "/odd"},
    )
    assert shown.returncode in (0, 3), shown.stdout + shown.stderr
    assert '"pubsub_channels"' in (tmp_path / "results/scenario-a/latest/telemetry.jsonl").read_text()
