"""One HTTP connection that stays open and posts one message at a time, with little CPU. A general HTTP client costs 280
µs of CPU per post, more than the server that it measures; the publisher would be the bottleneck. This client writes a
complete request at once and parses the answers with httptools (llhttp).
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

ANSWER_LIMIT_BYTES = 65_536
"""One answer with its head, and everything before it: interim answers, chunk headers."""
_TIMED_OUT = 408
"""A server may send this before it closes a connection that was idle (RFC 9110 §15.5.9)."""


class PostConnection(asyncio.Protocol):
    """``on_answer(connection, status, body)`` for each whole answer, whatever it says; the connection takes the next
    post where `reusable`. ``on_lost(connection, why, broken)`` once, at the end; ``broken``: the server sent bytes that
    are not HTTP.

    ``message`` is the post in flight, -1 for none: one at a time, so that an answer needs no matching. ``status`` is
    that of the answer to it whose head has arrived, 0 while there is none.
    """

    __slots__ = (
        "_body",
        "_broken",
        "_finished",
        "_given_up",
        "_length_known",
        "_on_answer",
        "_on_lost",
        "_parser",
        "_received",
        "_transport",
        "_why",
        "deadline_ns",
        "ended",
        "message",
        "reusable",
        "server",
        "status",
    )

    def __init__(
        self,
        server: int,
        on_answer: "Callable[[PostConnection, int, bytes], None]",
        on_lost: "Callable[[PostConnection, str, bool], None]",
    ) -> None:
        self.server = server
        self.message = -1
        self.status = 0
        self.deadline_ns = 0
        self.ended = False
        self.reusable = True
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._body = b""
        self._length_known = False
        self._received = 0
        self._broken = False
        self._given_up = False
        self._finished: list[tuple[int, bytes]] = []
        self._why = "closed by the server"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def post(self, message: int, request: bytes, deadline_ns: int) -> None:
        assert self._transport is not None
        assert self.message < 0, "one post at a time"
        self.message = message
        self.status = 0
        self.deadline_ns = deadline_ns
        self._received = 0
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._broken or self.ended:
            return
        self._received += len(data)
        why = self._parse(data)
        finished, self._finished = self._finished, []
        if finished and not why and (self.message < 0 or len(finished) > 1):
            # A server may say that an idle connection is over.
            unasked = [status for status, _ in finished[self.message >= 0 :] if status != _TIMED_OUT]
            why = "more answers than requests" if unasked else ""
            self.reusable = self.reusable and not why
        if finished and self.message >= 0:
            # Not from within the parser: the answer frees the connection for the next post.
            self.reusable = self.reusable and not why
            self._on_answer(self, *finished[0])
        if why:
            self._broken = True
            self.abort(why)

    def _parse(self, data: bytes) -> str:
        """Why a server may not send ``data``; empty if it may."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return "an answer changes the protocol"
        except httptools.HttpParserError as error:
            # After `Connection: close` no further byte belongs to a post.
            return f"expected an HTTP/1.1 answer: {error}" if self.reusable else ""
        if self._received > ANSWER_LIMIT_BYTES:
            return f"an answer is longer than {ANSWER_LIMIT_BYTES:,} bytes"
        return ""

    def connection_lost(self, exc: Exception | None) -> None:
        whole = self.status and not self._length_known and exc is None and not self._given_up
        if self.message >= 0 and whole:
            # The body of such an answer ends with the connection (RFC 9112 §6.3).
            self.reusable = False
            self._on_answer(self, self.status, self._body)
        self.ended = True
        self._on_lost(self, str(exc) if exc else self._why, self._broken)

    def abort(self, why: str) -> None:
        """Close the connection; ``on_lost`` follows."""
        self.reusable = False
        self._given_up = True
        self._why = why
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        self.reusable = False
        self._given_up = True
        if self._transport is not None:
            self._transport.close()

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._length_known = False
        self._body = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._length_known = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status

    def on_body(self, body: bytes) -> None:
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return  # an interim answer: the final one follows
        self.reusable = self.reusable and self._parser.should_keep_alive()
        self._finished.append((status, self._body))
        self._body = b""
        self._received = 0
