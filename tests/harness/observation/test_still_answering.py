"""Which servers still answer after the load."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from harness.environments.ports import free_ports
from harness.model.cluster import ServerAddress
from harness.observation.still_answering import ask_servers
from harness.protocol import open_protocol


def test_each_server_is_asked_and_a_silent_one_is_named() -> None:
    """One server answers 200, one answers 503, and one takes no connection. The results differ, and no error is
    raised."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.url.port == healthy else 503, text="half dead")

    async def ask() -> Any:
        application = web.Application()
        application.router.add_get("/{any:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            for port in (healthy, broken):
                await web.TCPSite(runner, "127.0.0.1", port).start()
            servers = [
                ServerAddress(name=f"server-{number}", host="127.0.0.1", port=port)
                for number, port in enumerate((healthy, broken, gone), 1)
            ]
            return await ask_servers(SimpleNamespace(servers=servers, token=""), open_protocol("chat"))  # type: ignore[arg-type]  # all it uses
        finally:
            await runner.cleanup()

    healthy, broken, gone = free_ports(3)
    found = asyncio.run(ask())
    assert found["server-1"] == ""
    assert found["server-2"] == "half dead"
    assert found["server-3"]
