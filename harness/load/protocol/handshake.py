"""The client's side of the opening handshake of a WebSocket (RFC 6455 §4)."""

import asyncio
import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

ANSWER_LIMIT_BYTES = 65_536
REASON_CHARACTERS = 200
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class HandshakeRefused(Exception):
    """The server answered properly, but not with 101."""


class HandshakeBroken(Exception):
    """The answer is not HTTP, or it has status 101 but breaks RFC 6455 §4.2.2."""


class Handshake(asyncio.Protocol):
    """Sends the request; ``done`` ends when the WebSocket is open, or with the reason why it is not.
    ``on_open(transport, rest)`` is called, before ``done``, if the answer is right and ``done`` is still awaited;
    ``rest`` are the bytes after the answer. The function must set another protocol.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], on_open: Callable[[asyncio.Transport, bytes], None]
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = base64.b64encode(os.urandom(16))
        self._request = _request(url, headers, self._key)
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._received = 0

    def give_up(self) -> None:
        """Stop waiting. Closes the connection, except if the WebSocket is open and another protocol has it."""
        self.done.cancel()
        if (self.done.cancelled() or self.done.exception()) and self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        if self.done.done():
            self._transport.abort()
        else:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.done.done():
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(HandshakeBroken(f"the answer is not HTTP/1.1: {error}"))
        else:
            if self._received > ANSWER_LIMIT_BYTES:
                self._fail(HandshakeBroken(f"the answer is longer than {ANSWER_LIMIT_BYTES:,} bytes"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            # Where the answer has no length it ends with the connection.
            refused = HandshakeRefused(self._answer()) if self._headers else None
            self.done.set_exception(refused or exc or ConnectionResetError("closed before the handshake was answered"))

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        # Lines of the same name are one list (RFC 9110 §5.3).
        name, value = name.lower(), value.strip(b" \t")
        self._headers[name] = b", ".join((self._headers[name], value)) if name in self._headers else value

    def on_body(self, body: bytes) -> None:
        self._body = (self._body + body)[:ANSWER_LIMIT_BYTES]

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._headers.clear()  # an interim answer: another one follows
        elif status != 101:
            self._fail(HandshakeRefused(self._answer()))
        elif not self._parser.should_upgrade():
            self._fail(HandshakeBroken("status 101 without Upgrade: websocket"))

    def _upgraded(self, rest: bytes) -> None:
        if self.done.done():
            return
        headers = self._headers
        tokens = {token.strip().lower() for token in headers.get(b"connection", b"").split(b",")}
        expected = base64.b64encode(hashlib.sha1(self._key + _GUID, usedforsecurity=False).digest())
        if self._parser.get_status_code() != 101:
            self._fail(HandshakeRefused(self._answer()))
        elif headers.get(b"upgrade", b"").lower() != b"websocket" or b"upgrade" not in tokens:
            self._fail(HandshakeBroken("status 101 without Upgrade: websocket and Connection: Upgrade"))
        elif headers.get(b"sec-websocket-accept") != expected:
            self._fail(HandshakeBroken("Sec-WebSocket-Accept does not belong to the key of the request"))
        elif b"sec-websocket-extensions" in headers or b"sec-websocket-protocol" in headers:
            self._fail(HandshakeBroken("an extension or a subprotocol that the client did not offer"))
        else:
            assert self._transport is not None
            self._on_open(self._transport, rest)
            self.done.set_result(None)

    def _answer(self) -> str:
        return f"status {self._parser.get_status_code()}: {self._body.decode(errors='replace')[:REASON_CHARACTERS]}"

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
        if self._transport is not None:
            self._transport.abort()


def _request(url: str, headers: Mapping[str, str], key: bytes) -> bytes:
    parts = urlsplit(url)
    lines = [
        f"GET {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join((*lines, "", "")).encode()
