"""Manual recovery: the harness asks every server, and the error names each server that did not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from harness.load.protocol.rebroadcast_request import rebroadcast, until_ready
from harness.model.cluster import ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.protocol.chat import Chat
from harness.protocol.contract import Recovered
from tests.seams.parrot import Parrot

NO_SERVER = ServerAddress(name="server-9", host="127.0.0.1", port=1)


@asynccontextmanager
async def serving(*, ready_after: int = 0) -> AsyncIterator[ServerAddress]:
    """One server. Its /readyz answers 503 ``ready_after`` times and then 200."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        messages = 5 if request.query.get("channel") in (None, "c") else 0
        return web.json_response({"ok": True, "channels": 1, "messages": messages})

    async def readiness(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"ok": True}, status=503 if len(asked) <= ready_after else 200)

    app = web.Application()
    app.router.add_post("/v1/rebroadcast", answer)
    app.router.add_get("/readyz", readiness)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ServerAddress(name="server-1", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


def test_every_server_answers_by_its_name() -> None:
    """The request is for all channels or for one channel."""

    async def scenario() -> None:
        async with serving() as server:
            assert await rebroadcast(Chat(), [server], "t") == {"server-1": Recovered(channels=1, messages=5)}
            one = await rebroadcast(Chat(), [server], "t", channel="other")
            assert one == {"server-1": Recovered(channels=1, messages=0)}

    asyncio.run(scenario())


def test_a_server_that_does_not_answer_is_named() -> None:
    """The error holds the address of that server, although the other server answered."""

    async def scenario() -> None:
        async with serving() as server:
            with pytest.raises(EnvironmentFailure, match=r"not rebroadcast: http://127\.0\.0\.1:1: "):
                await rebroadcast(Chat(), [server, NO_SERVER], "t")

    asyncio.run(scenario())


def test_a_protocol_without_it_says_so() -> None:
    """The error comes before any server is asked."""
    with pytest.raises(EnvironmentFailure, match="this client protocol has no request for it"):
        asyncio.run(rebroadcast(Parrot(), [NO_SERVER], "t"))


def test_readiness_is_waited_for() -> None:
    """The result is True as soon as every server is ready. It is False if a server is not ready within the limit."""

    async def scenario() -> None:
        async with serving(ready_after=2) as server:
            assert await until_ready(Chat(), [server], "t", 10)
            assert not await until_ready(Chat(), [server, NO_SERVER], "t", 0.3)

    asyncio.run(scenario())
