"""How a server starts, and what it reports when it cannot start."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from reference_server import server as server_module
from reference_server.server import CannotStart, serve
from reference_server.settings import load
from tests.reference_server.stack import TOKEN, Postgres, Server, free_port, fresh

pytestmark = pytest.mark.integration


def written(folder: Path, **settings: Any) -> Path:
    file = folder / "settings.json"
    defaults = {"name": "server-1", "port": free_port(), "token": TOKEN, "backplane": {"name": "memory"}}
    file.write_text(json.dumps(defaults | settings))
    return file


def test_a_database_that_does_not_answer_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server tries for ten seconds, in this test for 0.3 s. Then the message says that PostgreSQL could not be
    reached."""
    monkeypatch.setattr(server_module, "DATABASE_TIMEOUT_S", 0.3)
    settings = load(written(tmp_path, postgres={"host": str(tmp_path)}))
    with pytest.raises(CannotStart, match="PostgreSQL could not be reached"):
        asyncio.run(serve(settings))


def test_a_server_starts_without_its_broker(postgres: Postgres, folder: Path) -> None:
    """The server accepts posts and reports that its backplane is down."""
    nowhere = {"name": "redis", "host": "127.0.0.1", "port": free_port()}
    server = Server(folder, "lonely", postgres=postgres.settings, backplane=nowhere)
    try:
        server.start()
        assert server.post(fresh(), "x")[0] == 200
        assert server.get("/readyz")[1]["backplane"] == "down"
    finally:
        assert server.end() == 0


def test_one_server_needs_no_broker(postgres: Postgres, folder: Path) -> None:
    """This is the baseline with the backplane ``memory``."""
    server = Server(folder, "baseline", postgres=postgres.settings, backplane={"name": "memory"})
    try:
        server.start()
        assert server.get("/readyz") == (200, {"ok": True, "database": "up", "backplane": "up"})
    finally:
        assert server.end() == 0


def test_servers_may_start_together_on_an_empty_database(own_postgres: Postgres, folder: Path) -> None:
    """The schema is created once. Any of the servers may create it."""
    servers = [
        Server(folder, f"together-{n}", postgres=own_postgres.settings, backplane={"name": "memory"}) for n in range(6)
    ]
    try:
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_healthy()
        assert [server.post("c", "x")[1]["seq"] for server in servers] == [1, 2, 3, 4, 5, 6]
    finally:
        assert [server.end() for server in servers] == [0] * 6


def test_a_server_may_wait_for_its_database(own_postgres: Postgres, folder: Path) -> None:
    """A server starts while PostgreSQL is down. It becomes healthy after PostgreSQL has started."""
    own_postgres.crash()
    server = Server(folder, "early", postgres=own_postgres.settings, backplane={"name": "memory"})
    try:
        server.launch()
        own_postgres.start()
        server.wait_until_healthy()
    finally:
        assert server.end() == 0
