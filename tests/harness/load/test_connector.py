"""How clients come back. Connecting itself is shown with real servers in test_fleet.py."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import connector as module
from harness.load.connector import BACK_OFF_CAP_S, Connector, back_off_s
from harness.load.engine.job import Report
from harness.model.cluster import ServerAddress
from harness.protocol.chat import Chat

SERVERS = tuple(ServerAddress(name=f"server-{number}", host="127.0.0.1", port=number) for number in (1, 2))


class Dialogue:
    trouble = ""


class Client:
    """A client without a socket."""

    def __init__(self) -> None:
        self.index = self.server = self.connected_ns = self.subscribed_ns = 0
        self.transport: Any = None
        self.live = False
        self.dialogue = Dialogue()
        self.disconnects = 0

    def disconnect(self, *, graceful: bool) -> None:
        assert not graceful
        self.disconnects += 1


def a_connector(report: Report, sessions: list[Any]) -> Connector:
    return Connector(
        Chat(),
        SERVERS,
        "t",
        report=report,
        on_session_end=sessions.append,
        on_failure=lambda error: pytest.fail(str(error)),
    )


@given(st.integers(0, 1000))
def test_the_back_off_is_bounded(failures: int) -> None:
    """At random, so that clients do not come back in step, and never longer than the cap."""
    assert 0 <= back_off_s(failures) <= BACK_OFF_CAP_S


def test_counts_follow_the_clients() -> None:
    """Subscribed once when confirmed, also where the server then sends something odd; a loss ends the session."""

    async def scenario() -> None:
        report, sessions = Report(connected=1), []
        connector, client = a_connector(report, sessions), Client()
        client.transport, client.live, client.subscribed_ns = client, True, 5
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert report.subscribed == 1
        client.dialogue.trouble = "unexpected 'rumour'"
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert (report.subscribed, report.trouble, client.disconnects) == (1, "unexpected 'rumour'", 0)
        client.transport = None
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert (report.connected, report.subscribed, client.server, client.subscribed_ns) == (0, 0, 1, 0)
        assert sessions == [client]
        connector.close()

    asyncio.run(scenario())


def test_a_refused_client_gives_its_connection_up() -> None:
    """It comes back with a new one; the reason is in the report."""

    async def scenario() -> None:
        report = Report()
        connector, client = a_connector(report, []), Client()
        client.transport, client.dialogue.trouble = client, "the server refused c: overloaded: later"
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert (client.disconnects, report.subscribed) == (1, 0)
        assert report.trouble == "the server refused c: overloaded: later"

    asyncio.run(scenario())


def test_a_failed_connect_is_tried_at_the_next_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """After FAILURES_PER_SERVER failures in a row; closing ends the attempts."""
    tried: list[str] = []

    async def refuse(listener: Any, url: str, **_: Any) -> None:
        tried.append(url)
        raise ConnectionRefusedError("planted")

    monkeypatch.setattr(module, "ws_connect", refuse)
    monkeypatch.setattr(module, "back_off_s", lambda failures: 0.0)

    async def scenario() -> Report:
        report = Report()
        connector = a_connector(report, [])
        connector.connect(Client())  # type: ignore[arg-type]  # a stand-in
        async with asyncio.timeout(10):
            while len(tried) < 7:
                await asyncio.sleep(0)
        connector.close()
        count = len(tried)
        await asyncio.sleep(0.01)
        assert len(tried) == count
        return report

    report = asyncio.run(scenario())
    assert [url.split(":")[2][0] for url in tried[:7]] == ["1", "1", "1", "2", "2", "2", "1"]
    assert "client 0 cannot connect to http://127.0.0.1:" in report.trouble
    assert report.trouble.endswith("ConnectionRefusedError: planted")
