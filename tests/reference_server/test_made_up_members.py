"""Real servers with a backplane and write paths that exist only in the tests. A new member needs no change in other
modules."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.reference_server.client import Client
from tests.reference_server.stack import Postgres, Server, fresh, wait_until

pytestmark = pytest.mark.integration

MODULE = "tests.reference_server.made_up_server"


class RelayBroker:
    """Sends every line that it receives to all its connections."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._relay, args=(connection,)))
            self._threads[-1].start()

    def _relay(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                with self._lock:
                    for other in self._connections:
                        other.sendall(line)

    def close(self) -> None:
        """Must be called after the servers have ended, because each thread ends with its connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@contextmanager
def running(folder: Path, postgres: Postgres, *names: str, **settings: object) -> Iterator[list[Server]]:
    servers = [Server(folder, name, module=MODULE, postgres=postgres.settings, **settings) for name in names]
    with ExitStack() as ending:
        for server in servers:
            server.launch()
            ending.callback(server.end)
        for server in servers:
            server.wait_until_healthy()
        yield servers


def test_a_made_up_backplane_carries_messages(postgres: Postgres, folder: Path) -> None:
    """The backplane sends only pointers to the log. Subscribers of both servers get every message once and in order,
    and the trace marks each as live."""
    relay = RelayBroker()
    try:
        backplane = {"name": "relay", "host": "127.0.0.1", "port": relay.port}
        with running(folder, postgres, "relay-1", "relay-2", backplane=backplane, recovery="off") as (one, two):
            for server in (one, two):
                wait_until(lambda server=server: server.get("/readyz")[0] == 200, f"{server.name} to be ready")
            channel = fresh()
            with Client(one) as here, Client(two) as there:
                here.subscribe(channel)
                there.subscribe(channel)
                for number in range(20):
                    assert (one, two)[number % 2].post(channel, f"text {number}")[0] == 200
                assert here.texts(20) == there.texts(20) == [f"text {number}" for number in range(20)]
            rows = [row for row in two.get("/v1/trace?part=delivered")[1]["rows"] if row[0] == channel]
            assert [(row[1], row[-1]) for row in rows] == [(seq, "live") for seq in range(1, 21)]
            assert two.metric("announced_total") >= 1
    finally:
        relay.close()


def test_the_settings_of_a_made_up_backplane_are_strict(postgres: Postgres, folder: Path) -> None:
    """An unknown key ends the server with exit code 2, and the message names the key."""
    backplane = {"name": "relay", "host": "127.0.0.1", "port": 1, "colour": "green"}
    server = Server(folder, "relay-3", module=MODULE, postgres=postgres.settings, backplane=backplane)
    server.launch()
    assert server.child.wait(20) == 2
    assert "colour" in server.log.read_text()


def test_a_crash_in_submit_answers_the_contract(postgres: Postgres, folder: Path) -> None:
    """The answer is 500 ``internal_error`` in JSON, and the log has the traceback. The server continues."""
    settings = {"backplane": {"name": "memory"}, "write_path": "crash-in-submit"}
    with running(folder, postgres, "crash-1", **settings) as (server,):
        status, body = server.post(fresh(), "crash")
        assert (status, body["ok"], body["error"]) == (500, False, "internal_error")
        assert body["detail"]
        assert "RuntimeError: planted in submit" in server.log.read_text()
        assert server.post(fresh(), "fine")[0] == 200
        assert 'posts_total{outcome="internal_error"} 1' in server.get("/metrics")[1]


def test_a_crash_in_a_commit_answers_the_contract_and_ends_the_server(postgres: Postgres, folder: Path) -> None:
    """The waiting post gets 500 ``internal_error`` in JSON. A server that cannot commit must not continue: it ends with
    exit code 1, and its log has the traceback."""
    settings = {"backplane": {"name": "memory"}, "write_path": "crash-in-commit"}
    with running(folder, postgres, "crash-2", **settings) as (server,):
        assert server.post(fresh(), "fine")[0] == 200
        status, body = server.post(fresh(), "crash")
        assert (status, body["ok"], body["error"]) == (500, False, "internal_error")
        assert server.child.wait(20) == 1
        assert "RuntimeError: planted in the commit" in server.log.read_text()
