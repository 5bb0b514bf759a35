"""Answers to posts as they arrive from a socket: in pieces, in chunks, ended by the end of the connection, or
broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.protocol.http_post import ANSWER_LIMIT_BYTES, PostConnection

BODY = b'{"ok":true,"channel":"c","seq":42,"duplicate":false}'


def plain(body: bytes = BODY, *, head: bytes = b"HTTP/1.1 200 OK", more: bytes = b"") -> bytes:
    return head + b"\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n" + parts + b"0\r\n\r\n"


class Line:
    """One connection with a post in flight. It records what the connection reports to its owner."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.lost: list[tuple[str, bool]] = []
        self.aborted = False
        self.connection = PostConnection(0, self.on_answer, lambda _, why, broken: self.lost.append((why, broken)))
        self.connection.connection_made(self)  # type: ignore[arg-type]  # a transport that only takes writes
        self.connection.post(0, b"x", 0)

    def on_answer(self, connection: PostConnection, status: int, body: bytes) -> None:
        self.answers.append((status, body))
        connection.message = -1

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.connection.connection_lost(None)

    def close(self) -> None: ...

    def receive(self, data: bytes, piece: int = 1 << 20) -> None:
        for at in range(0, len(data), piece):
            self.connection.data_received(data[at : at + piece])


@pytest.mark.parametrize(
    "data",
    [
        plain(),
        plain(head=b"HTTP/1.1 200"),
        plain(more=b"SERVER: x\r\nSet-Cookie: a=b\r\n"),
        chunked(BODY[:10], BODY[10:]),
        chunked(*(BODY[at : at + 1] for at in range(len(BODY)))),
        b"HTTP/1.1 100 Continue\r\n\r\n" + plain(),
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + chunked(BODY),
        b"HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh:   %d  \r\n\r\n%s" % (len(BODY), BODY),
    ],
)
@given(piece=st.integers(1, 80))
def test_an_answer_is_understood_however_it_is_sent(data: bytes, piece: int) -> None:
    """An answer may have a length, come in chunks, follow interim answers, and arrive in pieces of any size. The next
    answer on the same connection is understood too."""
    line = Line()
    for number in range(1, 4):
        line.receive(data, piece)
        assert line.answers == [(200, BODY)] * number
        line.connection.post(number, b"x", 0)
    assert line.connection.reusable
    assert line.lost == []


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (plain(b"<html>bad gateway</html>", head=b"HTTP/1.1 502 Bad Gateway"), 502, b"<html>bad gateway</html>"),
        (plain(b"", head=b"HTTP/1.1 503 X"), 503, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (plain(b"\xff\x00", head=b"HTTP/1.1 400 X"), 400, b"\xff\x00"),
    ],
)
def test_every_answer_has_its_status_and_body(data: bytes, status: int, body: bytes) -> None:
    """The body may be text, empty or not UTF-8."""
    line = Line()
    line.receive(data)
    assert line.answers == [(status, body)]


@pytest.mark.parametrize("data", [plain(more=b"Connection: close\r\n"), plain(head=b"HTTP/1.0 200 OK")])
def test_a_connection_that_the_server_ends_is_not_used_again(data: bytes) -> None:
    """The answer on it counts."""
    line = Line()
    line.receive(data)
    assert (line.answers, line.connection.reusable) == ([(200, BODY)], False)
    line.connection.connection_lost(None)
    assert line.lost == [("closed by the server", False)]


def test_http_1_0_may_keep_the_connection() -> None:
    """The connection is kept if the answer has `Connection: keep-alive`."""
    line = Line()
    line.receive(plain(head=b"HTTP/1.0 200 OK", more=b"Connection: keep-alive\r\n"))
    assert (line.answers, line.connection.reusable) == ([(200, BODY)], True)


def test_a_body_may_end_with_the_connection() -> None:
    """A body without a length and without chunks ends when the server closes the connection (RFC 9112 §6.3). After a
    reset, or when the client gives up, there is no answer."""
    data = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + BODY
    line = Line()
    line.receive(data)
    assert line.answers == []
    line.connection.connection_lost(None)
    assert (line.answers, line.connection.reusable) == ([(200, BODY)], False)
    given_up = Line()
    given_up.receive(data)
    given_up.connection.abort("no answer in time")
    assert (given_up.answers, given_up.lost) == ([], [("no answer in time", False)])
    reset = Line()
    reset.receive(data)
    reset.connection.connection_lost(ConnectionResetError("reset"))
    assert (reset.answers, reset.lost, reset.connection.status) == ([], [("reset", False)], 200)


@pytest.mark.parametrize("data", [plain()[:-1], chunked(BODY)[:-2]])
def test_an_answer_that_is_cut_short_is_none_but_its_status_is_known(data: bytes) -> None:
    """The missing part of the answer is unknown, so the answer does not count."""
    line = Line()
    line.receive(data)
    line.connection.connection_lost(None)
    assert (line.answers, line.lost) == ([], [("closed by the server", False)])
    assert line.connection.status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\x16\x03\x01",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (ANSWER_LIMIT_BYTES + 1),
    ],
)
def test_what_can_never_be_an_answer_ends_the_connection(data: bytes) -> None:
    """The harness does not wait for more bytes, and it takes no answer from them."""
    line = Line()
    line.receive(data, 4_096)
    assert line.answers == []
    ((_, broken),) = line.lost
    assert broken


@pytest.mark.parametrize("data", [plain() + plain(), plain() + b"junk"])
def test_more_than_one_answer_ends_the_connection_behind_the_first(data: bytes) -> None:
    """The first answer counts. The connection gets no other post."""
    line = Line()
    line.receive(data)
    assert (line.answers, line.connection.reusable) == ([(200, BODY)], False)
    assert line.lost[0][1]


def test_an_answer_without_a_request_ends_the_connection() -> None:
    """Status 408 is the exception: with it a server may say that the connection was idle for too long."""
    line = Line()
    line.receive(plain())
    line.receive(plain())
    assert (line.answers, [broken for _, broken in line.lost]) == ([(200, BODY)], [True])
    idle = Line()
    idle.receive(plain())
    idle.receive(plain(b"", head=b"HTTP/1.1 408 Request Timeout", more=b"Connection: close\r\n"))
    assert (idle.answers, idle.lost, idle.connection.reusable) == ([(200, BODY)], [], False)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    """Random bytes raise no error. They give at most one answer and at most one end."""
    line = Line()
    line.receive(data, 7)
    assert len(line.answers) <= 1
    assert len(line.lost) <= 1
