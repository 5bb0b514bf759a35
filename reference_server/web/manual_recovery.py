"""``POST /v1/rebroadcast``: the route that delivers what the subscribers of this server miss."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_server.gateway.gateway import Gateway
from reference_server.message_log.base import LogError
from reference_server.protocol.client_requests import Refused, Requests
from reference_server.protocol.responses import json_response
from reference_server.recovery.catch_up import CatchUp


class ManualRecovery:
    """Each server knows only its own subscribers: to recover everything, a client asks every server."""

    def __init__(self, gateway: Gateway, catch_up: CatchUp, requests: Requests) -> None:
        self._gateway = gateway
        self._catch_up = catch_up
        self._requests = requests

    def route(self) -> Route:
        return Route("/v1/rebroadcast", self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        channel = request.query_params.get("channel")
        if channel is not None:
            self._requests.check_channel(channel)
        names = [name for name in self._gateway.channels if channel in (None, name)]
        try:
            messages = await self._catch_up.rebroadcast(names)
        except LogError as error:
            raise Refused(503, "database_unavailable", str(error)) from error
        return json_response({"ok": True, "channels": len(names), "messages": messages})
