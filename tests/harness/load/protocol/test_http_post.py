"""Responses to posts as they arrive from a socket, in pieces or not at all."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.protocol.http_post import parse_answer
from harness.protocol.chat import Chat
from harness.protocol.contract import BadAnswer
from harness.recording.format import ACKNOWLEDGED

PARSE = Chat().parse_post
BODY = b'{"ok":true,"channel":"c","seq":42,"duplicate":false}'
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def test_a_whole_answer() -> None:
    """Status, seq, and how many bytes it took."""
    status, answer, used = parse_answer(WHOLE + b"rest", PARSE)  # type: ignore[misc]  # it is whole
    assert (status, answer.outcome, answer.seq, used) == (200, ACKNOWLEDGED, 42, len(WHOLE))


@given(st.integers(0, len(WHOLE) - 1))
def test_any_beginning_of_an_answer_is_waited_for(cut: int) -> None:
    """TCP may split anywhere."""
    assert parse_answer(WHOLE[:cut], PARSE) is None


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope",
        b"x" * 70_000,
    ],
)
def test_what_can_never_be_an_answer_is_refused(data: bytes) -> None:
    """Neither waited for without an end nor believed."""
    with pytest.raises(BadAnswer):
        parse_answer(data, PARSE)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    """A server may say what it likes."""
    with contextlib.suppress(BadAnswer):
        parse_answer(data, PARSE)
