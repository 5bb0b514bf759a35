"""Asks servers to deliver the messages that their subscribers miss: recovery by hand."""

import asyncio
from collections.abc import Sequence

import aiohttp

from harness.model.cluster import ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.protocol.contract import BadAnswer, ClientProtocol, Recovered
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, open_session, reason, refusal

REQUEST_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 2.0
READY_PAUSE_S = 0.05


async def rebroadcast(
    protocol: ClientProtocol, servers: Sequence[ServerAddress], token: str, *, channel: str | None = None
) -> dict[str, Recovered]:
    """Ask every server; the answers by its name. Raises EnvironmentFailure with every server that did not do it."""
    request = protocol.rebroadcast(channel)
    if request is None:
        raise EnvironmentFailure("not rebroadcast: this client protocol has no request for it")
    problems: list[str] = []
    answers: dict[str, Recovered] = {}

    async def ask(server: ServerAddress, session: aiohttp.ClientSession) -> None:
        try:
            response = await exchange(session, server, request, timeout_s=REQUEST_TIMEOUT_S)
            answers[server.name] = protocol.parse_rebroadcast(response.status, response.body)
        except (*EXCHANGE_ERRORS, BadAnswer) as error:
            problems.append(f"{server.url}: {reason(error)}")

    async with open_session(protocol, token) as session:
        await asyncio.gather(*(ask(server, session) for server in servers))
    if problems:
        raise EnvironmentFailure(f"not rebroadcast: {'; '.join(problems)}")
    return dict(sorted(answers.items()))


async def until_ready(protocol: ClientProtocol, servers: Sequence[ServerAddress], token: str, timeout_s: float) -> bool:
    """Whether every server reported within ``timeout_s`` that database and backplane are up."""

    async def ready(server: ServerAddress, session: aiohttp.ClientSession) -> None:
        while await refusal(session, server, protocol.readiness(), timeout_s=READY_TIMEOUT_S) is not None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(READY_PAUSE_S)

    async with open_session(protocol, token) as session:
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(ready(server, session) for server in servers))
        except TimeoutError:
            return False
    return True
