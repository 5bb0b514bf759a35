"""ASGI calls without a network."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from reference_server.web.websocket_protocol import SOCKET
from tests.reference_server.fakes import FakeSocket

TOKEN = "test-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: Any
    """decoded JSON, or text"""
    kind: str
    """the type of the first ASGI event"""


def call(app: ASGIApp, method: str, path: str, body: bytes = b"", *, token: str = TOKEN, kind: str = "http") -> Answer:
    """Sends one request and returns its answer. ``path`` may have a query."""
    return asyncio.run(call_in_loop(app, method, path, body, token=token, kind=kind))


async def call_in_loop(
    app: ASGIApp, method: str, path: str, body: bytes = b"", *, token: str = TOKEN, kind: str = "http"
) -> Answer:
    where, _, query = path.partition("?")
    events: list[Any] = []
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return requests.pop(0) if requests else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        events.append(event)

    scope = {
        "type": kind,
        "method": method,
        "path": where,
        "query_string": query.encode(),
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "extensions": {},
    }
    await app(scope, receive, send)
    content = b"".join(event.get("body", b"") for event in events[1:])
    headers = dict(events[0]["headers"])
    decoded = json.loads(content) if headers[b"content-type"] == b"application/json" else content.decode()
    return Answer(status=events[0]["status"], body=decoded, kind=events[0]["type"])


class Peer:
    """The client at the other end of a WebSocket. It sends commands and reads what the server wrote to the socket."""

    def __init__(self) -> None:
        self.socket = FakeSocket()
        self.sent: list[Any] = []
        self._commands: asyncio.Queue[Any] = asyncio.Queue()

    def websocket(self) -> WebSocket:
        async def send(event: Any) -> None:
            self.sent.append(event)

        self._commands.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": "/v1/ws", "headers": [], "extensions": {SOCKET: self.socket}}
        return WebSocket(scope, self._commands.get, send)

    def send(self, **command: Any) -> None:
        self._commands.put_nowait({"type": "websocket.receive", "text": json.dumps(command)})

    def send_event(self, **event: Any) -> None:
        self._commands.put_nowait(event)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that the server wrote. All frames are short, so each header has two or four bytes."""
        data, events = b"".join(self.socket.transport.written), []
        while data:
            size, head = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4]), 4)
            events.append(json.loads(data[head : head + size]))
            data = data[head + size :]
        return events
