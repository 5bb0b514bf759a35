"""Sends one request of a client protocol to one server, over aiohttp."""

import base64
import os
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass

import aiohttp

from harness.model.cluster import ServerAddress
from harness.model.errors import NeverReady
from harness.model.tls import certificate_problem, tls_context
from harness.protocol.contract import ClientProtocol, Request

EXCHANGE_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
"""The errors of `exchange` if no whole answer arrives."""
REASON_CHARACTERS = 500


_CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
"""A client's close frame (RFC 6455 §5.5.1, status 1000)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    body: bytes


def open_session(protocol: ClientProtocol, token: str) -> aiohttp.ClientSession:
    """A session whose requests carry the protocol's headers, and that uses no proxy of the user's environment."""
    return aiohttp.ClientSession(headers=protocol.headers(token), trust_env=False)


async def exchange(
    session: aiohttp.ClientSession, server: ServerAddress, request: Request, *, timeout_s: float
) -> Response:
    """The answer, whatever its status; a redirection is one. Raises one of EXCHANGE_ERRORS."""
    async with session.request(
        request.method,
        f"{server.url}{request.path}",
        params=request.parameters,
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        ssl=_verification(server),
        # The load client does not follow redirections either, and another host must not get the token.
        allow_redirects=False,
    ) as response:
        return Response(status=response.status, body=await response.read())


async def refusal(
    session: aiohttp.ClientSession,
    server: ServerAddress,
    request: Request,
    *,
    timeout_s: float,
    never: Collection[int] = (),
) -> str | None:
    """None if ``request`` is answered with 200; else the server's answer, or why there is none, as text. Raises
    NeverReady for a status of ``never``: one that waiting does not change."""
    try:
        response = await exchange(session, server, request, timeout_s=timeout_s)
    except EXCHANGE_ERRORS as error:
        return reason(error)
    if response.status == 200:
        return None
    text = response.body.decode(errors="replace")[:REASON_CHARACTERS] or f"status {response.status}"
    if response.status in never:
        raise NeverReady(f"{server.url}{request.path} answers with status {response.status}: {text}")
    return text


async def handshake_refusal(
    session: aiohttp.ClientSession, server: ServerAddress, protocol: ClientProtocol, *, timeout_s: float
) -> str | None:
    """None if the server opens a WebSocket, which is closed again at once; else why it does not, as text."""
    asked = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    try:
        # aiohttp's own ws_connect follows redirections; the load client does not.
        async with session.get(
            protocol.websocket_url(server).replace("ws", "http", 1),
            headers=asked,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            ssl=_verification(server),
            allow_redirects=False,
        ) as response:
            if response.status != 101:
                return f"status {response.status} in place of 101"
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.write(_CLOSE)
            return None
    except EXCHANGE_ERRORS as error:
        return reason(error)


def _verification(server: ServerAddress) -> ssl.SSLContext | bool:
    return True if server.tls is None else tls_context(server.tls)


def reason(error: Exception) -> str:
    """Why there is no answer, in plain words and not in those of a library."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return certificate_problem(cause)
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {(cause.reason or str(cause)).replace('_', ' ').lower()}; is it a server of http://?"
    if isinstance(cause, socket.gaierror):
        return f"its name cannot be resolved: {cause.strerror}"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused: nothing listens at this address"
    if isinstance(cause, aiohttp.ClientResponseError):
        return "what it sends is no HTTP/1.1; is it a server of https://?"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return str(cause) or type(cause).__name__
