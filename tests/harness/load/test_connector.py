"""How clients reconnect. test_fleet.py tests the connecting itself with real servers."""

import asyncio
import base64
import contextlib
import gc
import hashlib
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from harness.load import connector as module
from harness.load.client import Client as RealClient
from harness.load.client import Sink
from harness.load.connector import BACK_OFF_CAP_S, Connector, back_off_s
from harness.load.engine.job import Report
from harness.load.frames import FrameTable
from harness.load.protocol.dialogue import Dialogue as RealDialogue
from harness.load.protocol.framing import TEXT, server_frame
from harness.model.cluster import ServerAddress
from harness.model.message import channel_name, message_text
from harness.protocol.chat import Chat
from tests.harness.plans import a_plan

PLAN = a_plan()
CHANNEL = channel_name(PLAN.run_id, 0)

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
    """The back-off is random, so that clients do not reconnect in step. It is never longer than the cap."""
    assert 0 <= back_off_s(failures) <= BACK_OFF_CAP_S


def test_counts_follow_the_clients() -> None:
    """A client counts as subscribed when its subscription is confirmed. A loss ends the session."""

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
    """The client comes back on a new connection. The report holds the reason."""

    async def scenario() -> None:
        report = Report()
        connector, client = a_connector(report, []), Client()
        client.transport, client.dialogue.refusal = client, "the server refused c: overloaded: later"
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        assert (client.disconnects, report.subscribed) == (1, 0)
        assert report.trouble == "the server refused c: overloaded: later"

    asyncio.run(scenario())


def test_a_failed_connect_is_tried_at_the_next_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client changes the server after FAILURES_PER_SERVER failures in a row. Closing the connector ends the
    attempts."""
    tried: list[str] = []

    async def refuse(make: object, address: ServerAddress) -> None:
        tried.append(f"{address.host}:{address.port}")
        raise ConnectionRefusedError("planted")

    monkeypatch.setattr(module, "connect", refuse)
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
    """Records incidents."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def note(self, kind: str, reason: str, example: str = "") -> None:
        self.found.append((kind, example))


def test_a_broken_handshake_is_an_incident_and_costs_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client tries again. A correct refusal by the server is no incident."""
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


class RawServer:
    """A server that writes raw bytes. ``plays`` holds the bytes that each connection in turn sends after its
    subscription."""

    def __init__(self, *plays: bytes) -> None:
        self.plays = list(plays)
        self.heard: list[bytes] = []
        """the bytes that each connection received after its subscription"""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: ")).split(b": ")[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        writer.write(head + accept + b"\r\n\r\n")
        await reader.read(4_096)
        writer.write(self.plays.pop(0))
        heard = b""
        with contextlib.suppress(ConnectionError):
            heard = await reader.read(4_096)
        self.heard.append(heard)
        writer.close()


def delivery(seq: int) -> bytes:
    body = message_text(PLAN.run_id, seq, PLAN.text_bytes)
    return server_frame(
        TEXT, b'{"type":"message","channel":"%s","seq":%d,"text":"%s"}' % (CHANNEL.encode(), seq, body.encode())
    )


def subscribed(seq: int) -> bytes:
    return server_frame(TEXT, b'{"type":"subscribed","channel":"%s","seq":%d}' % (CHANNEL.encode(), seq))


@pytest.mark.parametrize(
    ("breaks", "answered", "kinds"),
    [
        (b"\x83\x00", (1002).to_bytes(2, "big"), ["framing"]),
        (b"\x81\x02\xc3\x28", (1007).to_bytes(2, "big"), ["framing"]),
        (b"\x88\x02\x03\xf4", (1012).to_bytes(2, "big"), []),
        (b"\x88\x00", b"", []),
    ],
)
def test_one_broken_or_closed_connection_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, breaks: bytes, answered: bytes, kinds: list[str]
) -> None:
    """The server gets a close frame at once, and the client comes back and resumes. No error reaches the event loop,
    where it would end the process. The test uses real sockets and the event loop of the load workers."""
    monkeypatch.setattr(module, "back_off_s", lambda failures: 0.0)

    async def scenario() -> None:
        raw = RawServer(subscribed(0) + delivery(1) + breaks, subscribed(1) + delivery(2))
        server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
        errors: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        notes = Notes()
        sink = Sink(FrameTable(PLAN, 10, Chat().classify), notes)  # type: ignore[arg-type]  # a stand-in
        address = ServerAddress(name="server-1", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        report, sessions = Report(), []
        connector = Connector(
            Chat(),
            (address,),
            "t",
            report=report,
            incidents=notes,  # type: ignore[arg-type]  # a stand-in
            on_session_end=lambda client: sessions.append(client.close_code),
            on_failure=errors.append,
        )
        client = RealClient(0, 0, RealDialogue(CHANNEL, Chat()), sink, connector.on_change)
        connector.connect(client)
        async with asyncio.timeout(10):
            while len(sink.rows) < 4 or not raw.heard:
                await asyncio.sleep(0.001)
        assert (report.connected, report.subscribed, len(sessions)) == (1, 1, 1)
        connector.close()
        client.close()
        server.close()
        async with asyncio.timeout(10):
            while len(raw.heard) < 2:
                await asyncio.sleep(0.001)
        gc.collect()
        await asyncio.sleep(0)
        mask, masked = raw.heard[0][2:6], raw.heard[0][6:]
        assert raw.heard[0][0] == 0x88
        assert bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked)) == answered
        assert ([kind for kind, _ in notes.found], errors) == (kinds, [])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


def test_the_wait_grows_until_a_subscription_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subscription resets the back-off. A connection that the server closes at once does not."""
    waits: list[int] = []

    def noted(failures: int) -> float:
        waits.append(failures)
        return 3600.0

    monkeypatch.setattr(module, "back_off_s", noted)

    async def scenario() -> None:
        connector, client = a_connector(Report(), []), Client()
        for _ in range(3):
            client.transport = None
            connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        client.transport, client.live = client, True
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        client.transport, client.live, client.subscribed_ns = None, False, 5
        connector.on_change(client)  # type: ignore[arg-type]  # a stand-in
        connector.close()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert waits == [1, 2, 3, 1]
