"""One kept HTTP connection that posts one message at a time, at the least cost that asyncio allows.

A general HTTP client costs 280 µs of CPU per post, more than the server that it measures; the publisher would be the
bottleneck. This one writes bytes that were put together in one go and reads only responses with Content-Length.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from harness.protocol.contract import BadAnswer, PostAnswer

MAX_ANSWER_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"

Parse = Callable[[int, bytes], PostAnswer]
"""(status, body) to the answer; raises BadAnswer"""


def parse_answer(data: bytes, parse: Parse) -> tuple[int, PostAnswer, int] | None:
    """(status, answer, bytes used) of the first whole response in ``data``; None while it is not whole.

    Raises BadAnswer for what can never become one. Only responses with Content-Length are understood: the answers to posts
    are short, and servers know their length when they send them.
    """
    end = data.find(_HEAD_END)
    if end < 0:
        if len(data) > MAX_ANSWER_BYTES:
            raise BadAnswer("no end of the response's head within 64 KiB")
        return None
    head = data[:end]
    if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
        raise BadAnswer(f"expected an HTTP/1.1 status line, found {head[:40]!r}")
    at = head.lower().find(b"\r\ncontent-length:")
    length_text = head[at + 17 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""
    if not length_text.isdigit() or int(length_text) > MAX_ANSWER_BYTES:
        raise BadAnswer(f"expected Content-Length up to {MAX_ANSWER_BYTES}, found {length_text!r}")
    total = end + 4 + int(length_text)
    if len(data) < total:
        return None
    status = int(head[9:12])
    return status, parse(status, data[end + 4 : total]), total


class PostConnection(asyncio.Protocol):
    """``on_answer(connection, status, answer)`` for each answer; ``on_lost(connection, why)`` once, at the end.

    ``message`` is the post in flight, -1 for none: one at a time, so that an answer needs no matching.
    """

    __slots__ = (
        "_buffer",
        "_on_answer",
        "_on_lost",
        "_parse",
        "_transport",
        "_why",
        "deadline_ns",
        "ended",
        "message",
        "server",
    )

    def __init__(
        self,
        server: int,
        parse: Parse,
        on_answer: "Callable[[PostConnection, int, PostAnswer], None]",
        on_lost: "Callable[[PostConnection, str], None]",
    ) -> None:
        self.server = server
        self.message = -1
        self.deadline_ns = 0
        self.ended = False
        self._parse = parse
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._why = "closed by the server"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def post(self, message: int, request: bytes, deadline_ns: int) -> None:
        assert self._transport is not None
        assert self.message < 0, "one post at a time"
        self.message = message
        self.deadline_ns = deadline_ns
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        try:
            parsed = parse_answer(data, self._parse)
            if parsed is None:
                self._buffer = data
                return
            status, answer, used = parsed
            if self.message < 0 or used != len(data):
                raise BadAnswer("more than one answer to one request")
        except BadAnswer as error:
            self.abort(str(error))
            return
        self._buffer = b""
        self._on_answer(self, status, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._on_lost(self, str(exc) if exc else self._why)

    def abort(self, why: str) -> None:
        """Give the connection up; ``on_lost`` follows."""
        self._why = why
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
