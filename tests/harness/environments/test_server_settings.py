"""The settings that every environment gives to a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.environments.server_settings import server_settings
from harness.model.cluster import Topology
from reference_server.message_log.postgresql_address import Postgres
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.settings import load

DATABASE = {"host": "db", "port": 5432, "password": "pppp"}


def made(backplane: str, broker: dict[str, object] | None) -> dict[str, object]:
    topology = Topology(servers=1, backplane=backplane, write_path="db-first", run_id="r", recovery="manual")
    return server_settings(
        topology, name="server-1", host="127.0.0.1", port=80, token={"token": "t"}, database=DATABASE, broker=broker
    )


def test_the_reference_server_takes_them(tmp_path: Path) -> None:
    """Harness and server both take the names of the settings from docs/protocol.md. This test fails if they differ."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(made("redis", {"host": "broker", "port": 6379})))
    settings = load(path)
    assert (settings.name, settings.port, settings.recovery, settings.write_path) == (
        *("server-1", 80, "manual", "db-first"),
    )


def test_the_backplane_is_named_with_what_it_needs() -> None:
    assert made("redis", {"host": "broker"})["backplane"] == {"name": "redis", "host": "broker"}
    assert made("memory", None)["backplane"] == {"name": "memory"}


def test_a_relay_stands_in_the_place_of_the_link(tmp_path: Path) -> None:
    """The connecting server gets the relay's address in place of the database's or of this one peer. The server accepts
    both settings."""

    def backplane(name: str, server: str, relays: dict[str, tuple[str, int]]) -> Any:
        topology = Topology(servers=3, backplane=name, write_path="db-first", run_id="r")
        settings = server_settings(
            topology,
            name=server,
            host="127.0.0.1",
            port=80,
            token={"token": "t"},
            database=DATABASE,
            broker=None,
            links={f"server-{number}": ("127.0.0.1", 7_000 + number) for number in (1, 2, 3)},
            relays=relays,
        )
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        load(tmp_path / "settings.json")
        return settings["backplane"]

    listening = {"server-2_database": ("127.0.0.1", 99)}
    assert backplane("postgres-notify", "server-2", listening) == {
        "name": "postgres-notify",
        "listen_host": "127.0.0.1",
        "listen_port": 99,
    }
    assert backplane("postgres-notify", "server-1", listening) == {"name": "postgres-notify"}
    link = {"server-2_server-1": ("127.0.0.1", 99)}
    ports = {
        server: [peer["port"] for peer in backplane("mesh", server, link)["peers"]]
        for server in ("server-1", "server-2")
    }
    assert ports == {"server-1": [7_002, 7_003], "server-2": [99, 7_003]}


def test_a_database_setting_is_named_only_where_it_is_asked_for() -> None:
    """Otherwise PostgreSQL's own configuration applies."""
    topology = Topology(servers=1, backplane="memory", write_path="db-first", run_id="r", synchronous_commit=False)
    assert "synchronous_commit" not in made("memory", None)
    asked = server_settings(
        topology, name="s", host="127.0.0.1", port=80, token={"token": "t"}, database=DATABASE, broker=None
    )
    assert asked["synchronous_commit"] is False


@pytest.mark.parametrize("backplane", ["memory", "redis", "postgres-notify"])
def test_a_server_looks_for_no_keys_in_the_home_folder(tmp_path: Path, backplane: str) -> None:
    """A driver that may try TLS reads ~/.postgresql, which may belong to another user. The harness's own database has
    no TLS."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(made(backplane, {"host": "h", "port": 1} if backplane == "redis" else None)))
    postgres = load(path).postgres
    assert isinstance(postgres, Postgres)
    assert postgres.sslmode == "disable"
    assert PostgresqlConnection(postgres, name="s", statement_timeout_ms=1).address["ssl"] == "disable"
