"""Recovery by hand: the route that delivers what this server's subscribers miss."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_server.catch_up import CatchUp
from reference_server.gateway import Gateway
from reference_server.link import DatabaseError
from reference_server.reading import json_response
from reference_server.wire import Refused, Requests


class Rebroadcast:
    """Each server knows only its own subscribers, so whoever wants everything recovered asks every server."""

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
        except DatabaseError as error:
            raise Refused(503, "database_unavailable", str(error)) from error
        return json_response({"ok": True, "channels": len(names), "messages": messages})
