"""Whether a part of a cluster answers. Each function returns None for yes, else the reason in words."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from harness.components import adapter_of
from harness.model.cluster import Endpoint, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.protocol.contract import ClientProtocol, Request
from harness.protocol.exchange import open_session, refusal

ANSWER_TIMEOUT_S = 2.0
PAUSE_S = 0.03

Question = Callable[[], Awaitable[str | None]]


class NotReady(EnvironmentFailure):
    """A part that runs but does not answer in time."""


async def component_refusal(endpoint: Endpoint) -> str | None:
    """Whether a database or a broker accepts the harness, by the adapter of its kind."""
    return await adapter_of(endpoint.kind).refusal(endpoint)


async def server_refusal(address: ServerAddress, token: str, protocol: ClientProtocol, request: Request) -> str | None:
    """``request`` is answered with 200: the protocol's health request (the server is alive) or its readiness request
    (database and backplane are up too). Raises NeverReady if the server refuses the token that it was started with."""
    async with open_session(protocol, token) as session:
        return await refusal(session, address, request, timeout_s=ANSWER_TIMEOUT_S, never=(401, 403))


async def until_answered(
    name: str,
    question: Question,
    *,
    casualty: Callable[[], str | None],
    limit_s: float,
    last_words: Callable[[], Awaitable[str]],
) -> None:
    """Return when ``question`` is answered with yes.

    Raises EnvironmentFailure with the casualty, or NotReady with the last reason and the part's ``last_words`` after
    ``limit_s``.
    """
    deadline_s = time.monotonic() + limit_s
    while refusal := await question():
        if found := casualty():
            raise EnvironmentFailure(found)
        if time.monotonic() > deadline_s:
            raise NotReady(f"{name} was not ready after {limit_s:g} s: {refusal}; {await last_words()}")
        await asyncio.sleep(PAUSE_S)
