import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reference_server.protocol.responses import answer, json_response, refuse_handshake


@pytest.mark.parametrize(("respond", "prefix"), [(answer, "http"), (refuse_handshake, "websocket.http")])
def test_an_answer_is_json_of_a_known_length(respond: Callable[..., Awaitable[None]], prefix: str) -> None:
    """Two ASGI events: status and headers, then the whole body."""
    events: list[Any] = []

    async def send(event: Any) -> None:
        events.append(event)

    asyncio.run(respond(send, 401, b'{"ok":false}'))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"12")]
    assert events == [
        {"type": f"{prefix}.response.start", "status": 401, "headers": headers},
        {"type": f"{prefix}.response.body", "body": b'{"ok":false}'},
    ]


def test_an_answer_for_starlette_is_json_too() -> None:
    """The status is 200 unless another one is given."""
    assert json_response({"ok": True}).status_code == 200
    refusal = json_response({"ok": False}, status=503)
    assert (refusal.status_code, json.loads(refusal.body), refusal.media_type) == (
        503,
        {"ok": False},
        "application/json",
    )
