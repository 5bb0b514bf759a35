"""The ASGI application: it checks the token and chooses the handler."""

import hmac
import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from reference_server.protocol.client_requests import INTERNAL_ERROR, Refused
from reference_server.protocol.responses import answer, json_response, refuse_handshake
from reference_server.web import posting
from reference_server.web.posting import Posting
from reference_server.web.session import Sessions

WEBSOCKET_PATH = "/v1/ws"

_log = logging.getLogger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed"}


class Application:
    """Checks the token first, for every route. Passes posts and WebSockets on directly, because there are thousands of
    them; the rest goes through Starlette."""

    def __init__(self, token: str, posting: Posting, sessions: Sessions, routes: Sequence[Route]) -> None:
        self._authorization = f"Bearer {token}".encode()
        self._posting = posting
        self._sessions = sessions
        self._others = Starlette(
            routes=routes,
            exception_handlers={Refused: _on_refused, HTTPException: _on_http_exception, Exception: _on_crash},
        )
        self._others.router.redirect_slashes = False  # a redirect has no JSON body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] == "http":
            if not self._authorized(scope):
                await answer(send, 401, _UNAUTHORIZED.body())
            elif path == posting.PATH:
                await self._posting(scope, receive, send)
            else:
                await self._others(scope, receive, send)
        elif not self._authorized(scope):
            await refuse_handshake(send, 401, _UNAUTHORIZED.body())
        elif path == WEBSOCKET_PATH:
            await self._sessions.serve(WebSocket(scope, receive, send))
        else:
            await refuse_handshake(send, 404, Refused(404, "not_found", f"no WebSocket at {path}").body())

    def _authorized(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(given, self._authorization)


_UNAUTHORIZED = Refused(401, "unauthorized", "expected the header Authorization: Bearer TOKEN with this server's token")


async def _on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return json_response({"ok": False, "error": error.code, "detail": error.detail}, status=error.status)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "invalid_request")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return json_response({"ok": False, "error": code, "detail": detail}, status=error.status_code)


async def _on_crash(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Response(INTERNAL_ERROR.body(), INTERNAL_ERROR.status, media_type="application/json")
