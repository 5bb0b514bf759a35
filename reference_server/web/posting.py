"""``POST /v1/chat.postMessage``: the only route with a thousand calls a second. It is a plain ASGI function:
Starlette's routing, Request and Response would cost as much as the rest of a post.
"""

import logging
import time

from starlette.types import Receive, Scope, Send

from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import INTERNAL_ERROR, Refused, Requests
from reference_server.protocol.responses import Posted, answer
from reference_server.protocol.server_events import encode
from reference_server.write_path.base import WritePath

PATH = "/v1/chat.postMessage"

_log = logging.getLogger(__name__)


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
                return  # the client left before the end of its request
            accepted_ns = time.monotonic_ns()
            post = self._requests.post(body)
            seq, duplicate = await self._write_path.submit(post, accepted_ns)
        except Refused as refusal:
            self._metrics.posts[refusal.code] += 1
            await answer(send, refusal.status, refusal.body())
        except Exception:
            _log.exception("POST %s failed", PATH)
            self._metrics.posts[INTERNAL_ERROR.code] += 1
            await answer(send, INTERNAL_ERROR.status, INTERNAL_ERROR.body())
        else:
            self._metrics.posts["duplicate" if duplicate else "ok"] += 1
            await answer(send, 200, encode(Posted(True, post.channel, seq, duplicate)))

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, or None if the client left. Raises Refused as soon as the body is over the limit."""
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
