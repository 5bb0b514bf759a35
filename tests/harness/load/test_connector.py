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
    refusal = ""


class Client:
    """A client without a socket."""

    def __init__(self) -> None:
        self.index = self.server = self.connected_ns = self.subscribed_ns = 0
        self.transport: Any = None
        self.live = False
        self.dialogue = Dialogue()
        self.disconnects = 0

    def open(self, transport: Any, rest: bytes) -> None:
        self.transport = transport

    def drop(self) -> None:
        self.disconnects += 1


def a_connector(report: Report, sessions: list[Any], incidents: Any = None) -> Connector:
    return Connector(
        Chat(),
        SERVERS,
        "t",
        report=report,
        incidents=incidents,
        on_session_end=sessions.append,
        on_failure=lambda error: pytest.fail(str(error)),
    )


@given(st.integers(0, 1000))
def test_the_back_off_is_bounded(failures: int) -> None:
    """At random, so that clients do not come back in step, and never longer than the cap."""
    assert 0 <= back_off_s(failures) <= BACK_OFF_CAP_S


def test_counts_follow_the_clients() -> None:
    """Subscribed when confirmed; a loss ends the session."""

    async def scenario() -> None:
        report, sessions = Report(connected=1), []
        connector, client = a_connector(report, sessions), Client()
        client.transport, client.live, client.subscribed_ns = client, True, 5
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert report.subscribed == 1
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
        client.transport, client.dialogue.refusal = client, "the server refused c: overloaded: later"
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert (client.disconnects, report.subscribed) == (1, 0)
        assert report.trouble == "the server refused c: overloaded: later"

    asyncio.run(scenario())


def test_a_failed_connect_is_tried_at_the_next_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """After FAILURES_PER_SERVER failures in a row; closing ends the attempts."""
    tried: list[str] = []

    async def refuse(host: str, port: int) -> None:
        tried.append(f"{host}:{port}")
        raise ConnectionRefusedError("planted")

    monkeypatch.setattr(module, "dial", refuse)
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
    assert [address.split(":")[1] for address in tried[:7]] == ["1", "1", "1", "2", "2", "2", "1"]
    assert "client 0 cannot connect to http://127.0.0.1:" in report.trouble
    assert report.trouble.endswith("ConnectionRefusedError: planted")


class Notes:
    """Incidents, written down."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def note(self, kind: str, reason: str, example: str = "") -> None:
        self.found.append((kind, example))


def test_a_broken_handshake_is_an_incident_and_costs_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client tries again; a server that refuses properly is no incident."""
    monkeypatch.setattr(module, "back_off_s", lambda failures: 0.0)
    answers = iter(
        (b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n")
    )
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if reply := next(answers, b""):
            writer.write(reply)
        else:
            ended.set()
        writer.close()

    async def scenario() -> Notes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        notes = Notes()
        address = ServerAddress(name="server-1", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        connector = Connector(
            Chat(),
            (address,),
            "t",
            report=Report(),
            incidents=notes,  # type: ignore[arg-type]  # a stand-in
            on_session_end=lambda client: None,
            on_failure=lambda error: pytest.fail(str(error)),
        )
        connector.connect(Client())  # type: ignore[arg-type]  # a stand-in
        async with asyncio.timeout(10):
            await ended.wait()
        connector.close()
        server.close()
        await asyncio.sleep(0)
        return notes

    assert asyncio.run(scenario()).found == [("handshake", "client 0 on server 1")] * 2
