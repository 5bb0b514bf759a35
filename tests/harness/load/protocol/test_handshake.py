"""The opening handshake of a WebSocket: the request, and which answers open a connection."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.protocol.handshake import Handshake, HandshakeBroken, HandshakeRefused


class Transport:
    def __init__(self) -> None:
        self.sent = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def abort(self) -> None:
        self.aborted = True


def accept(request: bytes) -> bytes:
    """Sec-WebSocket-Accept for a request (RFC 6455 §4.2.2)."""
    key = next(line for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: ")).split(b": ")[1]
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def answer(request: bytes, *, status: bytes = b"101 Switching Protocols", more: bytes = b"", **changes: bytes) -> bytes:
    headers = {"upgrade": b"websocket", "connection": b"Upgrade", "sec-websocket-accept": accept(request)} | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    lines = b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in headers.items() if value)
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n" + more


def shake(make: Any, *, piece: int = 100_000, hang_up: bool = False) -> tuple[Any, bytes | None, Transport]:
    """Answer a handshake with what ``make`` returns. Returns the error or None, the bytes after the answer or None, and
    the transport."""

    async def main() -> tuple[Any, bytes | None, Transport]:
        opened: list[bytes] = []
        transport: Any = Transport()
        handshake = Handshake(
            "ws://10.0.0.1:80/v1/ws", {"Authorization": "Bearer t"}, lambda _, rest: opened.append(rest)
        )
        handshake.connection_made(transport)
        data = make(transport.sent)
        for at in range(0, len(data), piece):
            if not opened:
                handshake.data_received(data[at : at + piece])
        if hang_up:
            handshake.connection_lost(None)
        assert handshake.done.done()
        return handshake.done.exception(), opened[0] if opened else None, transport

    return asyncio.run(main())


def test_the_request_is_a_handshake() -> None:
    """The request has the path, the host and the token of the server. The key is new each time."""
    _, _, first = shake(answer)
    _, _, second = shake(answer)
    lines = first.sent.decode().split("\r\n")
    assert lines[0] == "GET /v1/ws HTTP/1.1"
    assert {"Host: 10.0.0.1:80", "Upgrade: websocket", "Connection: Upgrade", "Authorization: Bearer t"} < set(lines)
    assert lines[-2:] == ["", ""]
    assert first.sent != second.sent


@given(st.integers(1, 60))
def test_a_right_answer_opens_the_connection(piece: int) -> None:
    """The answer may be split anywhere, and upper and lower case do not matter. The bytes after the answer are passed
    on."""
    assert shake(answer, piece=piece)[0] is None
    error, rest, transport = shake(
        lambda request: answer(request, upgrade=b"WebSocket", connection=b"keep-alive, upgrade", more=b"\x81\x02hi")
    )
    assert (error, rest, transport.aborted) == (None, b"\x81\x02hi", False)


def test_interim_answers_are_skipped() -> None:
    """A server may send 103 first (RFC 9110 §15.2)."""
    error, rest, _ = shake(
        lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(request, more=b"\x81\x00")
    )
    assert (error, rest) == (None, b"\x81\x00")


@pytest.mark.parametrize(
    "make",
    [
        lambda request: answer(request, sec_websocket_accept=b"bm8="),
        lambda request: answer(request, sec_websocket_accept=b""),
        lambda request: answer(request, upgrade=b"h2c"),
        lambda request: answer(request, connection=b"close"),
        lambda request: answer(request, upgrade=b""),
        lambda request: answer(request, sec_websocket_extensions=b"permessage-deflate"),
        lambda request: answer(request, sec_websocket_protocol=b"chat"),
        lambda request: b"SSH-2.0-OpenSSH\r\n\r\n",
        lambda request: b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_an_answer_that_breaks_the_rules_opens_nothing(make: Any) -> None:
    """The client aborts the connection and reports the reason."""
    error, rest, transport = shake(make)
    assert isinstance(error, HandshakeBroken)
    assert (rest, transport.aborted) == (None, True)


@pytest.mark.parametrize(
    ("data", "hang_up"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", False),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n", False),
        (b"HTTP/1.0 503 Busy\r\nX: y\r\n\r\nbusy", True),
    ],
)
def test_a_refusal_is_told_with_its_status_and_text(data: bytes, hang_up: bool) -> None:
    """A refusal breaks no rule of the protocol."""
    error, rest, _ = shake(lambda request: data, hang_up=hang_up)
    assert isinstance(error, HandshakeRefused)
    assert (str(error), rest) == ("status 503: busy", None)


def test_a_server_that_hangs_up_is_no_answer() -> None:
    """The error is a ConnectionError, as it is when no server listens."""
    assert isinstance(shake(lambda request: b"", hang_up=True)[0], ConnectionError)


def test_what_was_given_up_opens_nothing() -> None:
    """A handshake that was given up ignores a late answer and aborts a late connection."""

    async def main() -> None:
        transport: Any = Transport()
        handshake = Handshake("ws://h:1/", {}, lambda transport, rest: pytest.fail("opened"))
        handshake.connection_made(transport)
        handshake.give_up()
        assert transport.aborted
        handshake.data_received(answer(transport.sent))
        late: Any = Transport()
        handshake.connection_made(late)
        assert (late.sent, late.aborted) == (b"", True)

    asyncio.run(main())


def test_header_lines_of_one_name_are_one_list() -> None:
    """A proxy may split `Connection` into several lines, and put spaces around a value (RFC 9110 §5.3, §5.5)."""

    def spread(request: bytes) -> bytes:
        whole = answer(request, connection=b"Upgrade", upgrade=b" websocket \t")
        return whole.replace(b"connection: Upgrade\r\n", b"Connection: Upgrade\r\nConnection: keep-alive\r\n")

    assert shake(spread)[0] is None
