import asyncio
from typing import Any

from starlette.applications import Starlette

from reference_server.protocol.client_requests import Refused, Requests
from reference_server.protocol.protocol_limits import Limits
from reference_server.web.application import _on_refused
from reference_server.web.manual_recovery import ManualRecovery
from tests.reference_server.recovery.rig import Rig
from tests.reference_server.web.asgi import Answer, call_in_loop


async def ask(rig: Rig, query: str = "") -> Answer:
    route = ManualRecovery(rig.gateway, rig.catch_up, Requests(Limits())).route()
    handlers: Any = {Refused: _on_refused}
    app = Starlette(routes=[route], exception_handlers=handlers)
    return await call_in_loop(app, "POST", f"/v1/rebroadcast{query}")


def test_one_channel_or_all_are_recovered() -> None:
    """The answer gives the number of channels that were read and the number of missing messages."""

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            for name in ("a", "b"):
                await rig.join(name)
            rig.log.committed |= {"a": 2, "b": 3}
            assert (await ask(rig, "?channel=a")).body == {"ok": True, "channels": 1, "messages": 2}
            assert (await ask(rig)).body == {"ok": True, "channels": 2, "messages": 3}
            assert (await ask(rig, "?channel=other")).body == {"ok": True, "channels": 0, "messages": 0}

    asyncio.run(main())


def test_a_request_that_cannot_be_carried_out_is_refused() -> None:
    """The channel name breaks a limit, or the message log does not answer."""

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            await rig.join("a")
            bad = await ask(rig, "?channel=a%20b")
            assert (bad.status, bad.body["error"]) == (400, "invalid_request")
            rig.log.down = True
            down = await ask(rig)
            assert (down.status, down.body["error"]) == (503, "database_unavailable")

    asyncio.run(main())
