"""The tables of docs/protocol.md agree with the values in the code."""

import re
from pathlib import Path

import msgspec
import pytest

from harness.environments import external
from harness.load import connector, post_pool
from harness.load.protocol import rebroadcast_request
from harness.observation import audit, trace_collector
from reference_server.backplane.redis_pubsub import Redis
from reference_server.backplane.registry import BACKPLANES
from reference_server.message_log.postgresql_address import Postgres
from reference_server.protocol.protocol_limits import Limits
from reference_server.settings import Settings
from reference_server.settings_section import Section
from reference_server.web import web_server

PAGE = (Path(__file__).resolve().parents[2] / "docs/protocol.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


def fields(kind: type[Section]) -> dict[str, object]:
    """The fields of a section with their defaults. A required field has None."""
    return {
        field.name: None if field.default is msgspec.NODEFAULT else field.default
        for field in msgspec.structs.fields(kind)
    }


def test_every_setting_of_the_server_is_in_the_table() -> None:
    """The table also has the default of each setting."""
    settings, limits = section("The reference server's settings").split("| key in `limits`")
    named = {name: row[1] for row in rows(settings)[1:] for name in re.findall(r"`(\w+)`", row[0])}
    assert set(named) == set(fields(Settings))
    for name in ("host", "write_path", "recovery"):
        assert named[name] == f'`"{fields(Settings)[name]}"`'
    for name in ("commit_pause_ms", "statement_timeout_ms", "trace_rows"):
        assert named[name] == str(fields(Settings)[name])
    found = {row[0].strip("`"): row[1] for row in rows(limits) if row[0].startswith("`")}
    assert found == {name: str(value) for name, value in fields(Limits).items()}


@pytest.mark.parametrize(("row", "kind"), [("postgres", Postgres), ("backplane", Redis)])
def test_every_setting_of_a_part_is_in_its_row(row: str, kind: type[Section]) -> None:
    """If a setting has a default, the row has it too."""
    (words,) = [each[2] for each in rows(section("The reference server's settings")) if each[0] == f"`{row}`"]
    for name, default in fields(kind).items():
        assert f"`{name}`" in words
        if default is not None:
            assert f"`{name}` ({default}" in words or f'`{name}` (`"{default}"`)' in words
    if row == "backplane":
        assert all(f'`"{name}"`' in words for name in BACKPLANES.names)


def test_the_limits_of_every_request_are_the_defaults() -> None:
    """They are in the first table of the page."""
    table = {row[0]: row[1] for row in rows(section("Every request"))}
    limits = Limits()
    assert table["HTTP body"] == f"{limits.body_bytes:,} bytes"
    assert table["`text`"].startswith(f"1 to {limits.text_bytes:,} bytes")
    assert table["`channel`"].startswith(f"1 to {limits.channel_chars} characters")
    assert table["`client_msg_id`"].startswith(f"1 to {limits.client_msg_id_chars} characters")
    assert table["a client's WebSocket message, all its frames together"] == f"{limits.frame_bytes:,} bytes"
    assert table["channels subscribed by one connection"] == f"{limits.channels_per_connection}"
    assert table["WebSocket connections of one server"] == f"{limits.connections:,}"
    waiting = table["bytes waiting to be written to one connection"]
    assert waiting.startswith(f"{limits.waiting_bytes:,}, and {limits.send_buffer_bytes:,} ")


def test_pings_come_more_often_than_proxies_close_idle_connections() -> None:
    """The page gives the interval of the pings and the time limit for an answer."""
    words = " ".join(section("Receiving").split())
    assert f"pings every {web_server.PING_S:g} s, less than the 60 s" in words
    assert f"not answered after {web_server.PONG_S:g} s" in words


def test_what_the_harness_asks_of_an_external_cluster() -> None:
    """The page gives the harness's time limits and numbers for each route."""
    table = {row[0]: row for row in rows(section("What the harness asks of an external cluster"))}
    assert table["`/healthz`"][2] == f"{external.ANSWER_TIMEOUT_S:g} s"
    sockets = table["`/v1/ws`"]
    assert f"at most {connector.HANDSHAKES} handshakes" in sockets[1]
    assert sockets[2].startswith(f"{connector.ANSWER_TIMEOUT_S:g} s for the handshake")
    assert f"{connector.RECONNECT_TIMEOUT_S:g} s each" in sockets[2]
    posts = table["`/v1/chat.postMessage`"]
    assert f"up to {post_pool.MAX_CONNECTIONS} connections" in posts[1]
    assert posts[2].startswith(f"{post_pool.CONNECT_TIMEOUT_S:g} s to connect, {post_pool.ANSWER_TIMEOUT_S:g} s for")
    history = table["`/v1/conversations.history`"]
    assert f"pages of {audit.HISTORY_ROWS:,}, up to {audit.HISTORY_AT_ONCE} channels" in history[1]
    assert history[2].startswith(f"{audit.HISTORY_TIMEOUT_S:g} s")
    trace = table["`/v1/trace`"]
    assert f"pages of {trace_collector.PAGE_ROWS:,} rows" in trace[1]
    assert trace[2].startswith(f"{trace_collector.PAGE_TIMEOUT_S:g} s")
    by_hand = table["`/readyz`, `/v1/rebroadcast`"][2]
    assert by_hand == f"{rebroadcast_request.READY_TIMEOUT_S:g} s and {rebroadcast_request.REQUEST_TIMEOUT_S:g} s"


def test_a_client_that_lost_its_connection_comes_back_as_the_page_says() -> None:
    """The page gives the back-off, and the number of failures before the client tries the next server."""
    words = " ".join(section("What the harness asks of an external cluster").split())
    assert f"random below a limit that doubles up to {connector.BACK_OFF_CAP_S:g} s" in words
    assert connector.FAILURES_PER_SERVER == 3
    assert "after three failures in a row the client tries the next server" in words
