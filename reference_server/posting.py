"""``POST /v1/chat.postMessage``: the one route that is called a thousand times a second.

A bare ASGI function: Starlette's routing, Request and Response cost as much as all of the rest of a post.
"""

import time

from starlette.types import Receive, Scope, Send

from reference_server.metrics import Metrics
from reference_server.wire import Posted, Refused, Requests, encode
from reference_server.write_path import WritePath

PATH = "/v1/chat.postMessage"


class Posting:
    def __init__(self, write_path: WritePath, requests: Requests, *, body_limit_bytes: int, metrics: Metrics) -> None:
        self._write_path = write_path
        self._requests = requests
        self._body_limit_bytes = body_limit_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] != "POST":
                raise Refused(405, "method_not_allowed", f"{PATH} takes POST, not {scope['method']}")
            body = await self._body(receive)
            if body is None:
                return  # the client left before it had said everything
            accepted_ns = time.monotonic_ns()
            post = self._requests.post(body)
            seq, duplicate = await self._write_path.submit(post, accepted_ns)
        except Refused as refusal:
            self._metrics.posts[refusal.code] += 1
            await answer(send, refusal.status, refusal.body())
        else:
            self._metrics.posts["duplicate" if duplicate else "ok"] += 1
            await answer(send, 200, encode(Posted(True, post.channel, seq, duplicate)))

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, or None where the client went away. Raises Refused as soon as it is over the limit."""
        body = b""
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return None
            part: bytes = event["body"]
            body = body + part if body else part
            if len(body) > self._body_limit_bytes:
                raise Refused(413, "too_large", f"body: expected at most {self._body_limit_bytes} bytes")
            if not event["more_body"]:
                return body


async def answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse_handshake(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
