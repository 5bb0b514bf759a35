"""HTTP/1.1 requests and responses with a Content-Length, read from a stream and changed."""

import asyncio
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import msgspec

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMessage:
    """``head`` is everything up to the empty line, which it includes."""

    head: bytes
    body: bytes = b""

    @property
    def raw(self) -> bytes:
        return self.head + self.body

    @property
    def target(self) -> str:
        """What a request asks for: path and query."""
        return self.head.split(b" ", 2)[1].decode("ascii", "replace")

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.head[9:12])

    def json(self) -> dict[str, object]:
        """The body as a JSON object; empty if it is not one."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def with_body(self, body: bytes) -> "HttpMessage":
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        lines.insert(1, b"content-length: %d" % len(body))
        return replace(self, head=b"\r\n".join(lines), body=body)

    def with_json(self, value: object) -> "HttpMessage":
        return self.with_body(msgspec.json.encode(value))


def json_response(status: int, reason: str, value: object) -> HttpMessage:
    """A response of our own."""
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n\r\n".encode()
    return HttpMessage(head=head).with_json(value)


def in_chunks(response: HttpMessage, size_bytes: int) -> bytes:
    """The same response with ``Transfer-Encoding: chunked`` (RFC 9112 §7.1)."""
    lines = [line for line in response.head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    lines.insert(1, b"transfer-encoding: chunked")
    pieces = [response.body[at : at + size_bytes] for at in range(0, len(response.body), size_bytes)]
    return b"\r\n".join(lines) + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


async def read_message(reader: asyncio.StreamReader) -> HttpMessage | None:
    """The next message; None if the stream ends. An upgrade (status 101) has no body."""
    try:
        head = await reader.readuntil(_HEAD_END)
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return HttpMessage(head=head, body=await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
