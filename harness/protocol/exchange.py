"""Sends one request of a client protocol to one server, over aiohttp."""

from dataclasses import dataclass

import aiohttp

from harness.model.cluster import ServerAddress
from harness.protocol.contract import ClientProtocol, Request

EXCHANGE_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
"""What `exchange` raises where no whole answer arrives."""
REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    body: bytes


def open_session(protocol: ClientProtocol, token: str) -> aiohttp.ClientSession:
    """A session whose requests carry the protocol's headers."""
    return aiohttp.ClientSession(headers=protocol.headers(token))


async def exchange(
    session: aiohttp.ClientSession, server: ServerAddress, request: Request, *, timeout_s: float
) -> Response:
    """The answer, whatever its status. Raises one of EXCHANGE_ERRORS."""
    async with session.request(
        request.method,
        f"{server.url}{request.path}",
        params=request.parameters,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
    ) as response:
        return Response(status=response.status, body=await response.read())


async def refusal(
    session: aiohttp.ClientSession, server: ServerAddress, request: Request, *, timeout_s: float
) -> str | None:
    """None where ``request`` is answered with 200; else the server's answer, or why there is none, as text."""
    try:
        response = await exchange(session, server, request, timeout_s=timeout_s)
    except EXCHANGE_ERRORS as error:
        return str(error) or type(error).__name__
    if response.status == 200:
        return None
    return response.body.decode(errors="replace")[:REASON_CHARACTERS] or f"status {response.status}"
