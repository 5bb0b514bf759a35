"""Whether a part of a cluster answers. Each question returns None for yes, else the reason in words."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp

from harness.components import adapter_of
from harness.model.cluster import Endpoint, ServerAddress
from harness.model.errors import EnvironmentFailure

ANSWER_TIMEOUT_S = 2.0
PAUSE_S = 0.03

Question = Callable[[], Awaitable[str | None]]


class NotReady(EnvironmentFailure):
    """A part that lives but does not answer in time."""


async def component_refusal(endpoint: Endpoint) -> str | None:
    """Whether a database or a broker lets the harness in, asked in the way of its kind."""
    return await adapter_of(endpoint.kind).refusal(endpoint)


async def server_refusal(address: ServerAddress, token: str, route: str) -> str | None:
    """``route`` (/healthz: alive; /readyz: with all that it depends on) is answered with 200."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
            session.get(f"{address.url}{route}") as response,
        ):
            return None if response.status == 200 else (await response.text())[:500]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return str(error) or type(error).__name__


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
