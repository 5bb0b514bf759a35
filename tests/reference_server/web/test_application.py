import json
import logging
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_server.protocol.client_requests import Refused
from reference_server.protocol.responses import answer
from reference_server.web.application import Application
from tests.reference_server.web.asgi import TOKEN, call


async def posting(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, 200, json.dumps({"ok": True, "by": "posting"}).encode())


async def refused(_: Request) -> Response:
    raise Refused(503, "database_unavailable", "down")


async def crash(_: Request) -> Response:
    raise RuntimeError("planted")


def application() -> Any:
    nothing: Any = None
    post: Any = posting
    return Application(TOKEN, post, nothing, [Route("/refused", refused), Route("/crash", crash)])


@pytest.mark.parametrize("path", ["/refused", "/nowhere", "/v1/chat.postMessage"])
def test_the_token_guards_every_route(path: str) -> None:
    """The answer is 401 for known and unknown routes."""
    refusal = call(application(), "GET", path, token="wrong")
    assert (refusal.status, refusal.body["error"]) == (401, "unauthorized")


@pytest.mark.parametrize(("token", "status", "code"), [("wrong", 401, "unauthorized"), (TOKEN, 404, "not_found")])
def test_a_handshake_is_refused_with_the_same_status(token: str, status: int, code: str) -> None:
    """The token is wrong, or the path has no WebSocket."""
    refusal = call(application(), "GET", "/elsewhere", token=token, kind="websocket")
    assert (refusal.kind, refusal.status) == ("websocket.http.response.start", status)
    assert refusal.body["error"] == code


def test_posts_take_the_short_way() -> None:
    """Posts do not pass through Starlette."""
    assert call(application(), "POST", "/v1/chat.postMessage").body == {"ok": True, "by": "posting"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/refused", 503, "database_unavailable"),
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/refused", 405, "method_not_allowed"),
    ],
)
def test_every_failure_is_json(method: str, path: str, status: int, code: str) -> None:
    """The answer has ``ok``, ``error`` and ``detail``, as the contract demands."""
    refusal = call(application(), method, path)
    assert (refusal.status, refusal.body["ok"], refusal.body["error"]) == (status, False, code)
    assert refusal.body["detail"]


def test_a_crash_of_a_route_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is 500 ``internal_error`` in JSON, and the log has the traceback. Starlette raises the error again for
    uvicorn."""
    app, sent = application(), []

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError, match="planted"):
            await app(scope, receive, send)
        sent.append(True)

    with caplog.at_level(logging.ERROR):
        refusal = call(guarded, "GET", "/crash")
    assert (refusal.status, refusal.body["error"], sent) == (500, "internal_error", [True])
    assert "RuntimeError: planted" in caplog.text
