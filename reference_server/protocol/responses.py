"""The answers of the server to HTTP requests, and to handshakes that it refuses."""

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Send


class Posted(msgspec.Struct, gc=False):
    """The answer to a post that is committed."""

    ok: bool
    channel: str
    seq: int
    duplicate: bool


async def answer(send: Send, status: int, body: bytes) -> None:
    """Answer an HTTP request with JSON, without Starlette's Response, which costs too much for every post."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse_handshake(send: Send, status: int, body: bytes) -> None:
    """Answer a WebSocket handshake with JSON instead of 101."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def json_response(content: Any, *, status: int = 200) -> Response:
    """An answer with JSON for a route of Starlette."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")
