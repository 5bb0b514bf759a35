import asyncio
import json
from contextlib import suppress

import aiohttp

from harness.environments.ports import free_ports
from harness.prove.constant_delay_target import serve

TOKEN = "secret"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def until_listening(*ports: int) -> None:
    for port in ports:
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                break
            await asyncio.sleep(0.01)


async def conversation(ports: list[int]) -> dict[str, object]:
    """Subscribes at the second port, posts at the first, and reads everything back."""
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        first = f"http://127.0.0.1:{ports[0]}"
        async with session.ws_connect(f"ws://127.0.0.1:{ports[1]}/v1/ws") as socket:
            await socket.send_json({"op": "subscribe", "channel": "c"})
            confirmed = json.loads((await socket.receive()).data)
            async with session.post(f"{first}/v1/chat.postMessage", json={"channel": "c", "text": "hello"}) as answer:
                posted = await answer.json()
            delivered = json.loads((await socket.receive()).data)
        found = {"confirmed": confirmed, "posted": posted, "delivered": delivered}
        for name, path in (
            ("health", "/healthz"),
            ("history", "/v1/conversations.history?channel=c"),
            ("accepted", "/v1/trace?part=accepted"),
            ("sent", "/v1/trace?part=delivered"),
            ("backplane", "/v1/trace?part=backplane"),
        ):
            async with session.get(first + path) as answer:
                found[name] = await answer.json()
        async with session.get(f"{first}/healthz", headers={"Authorization": "Bearer wrong"}) as answer:
            found["refused"] = answer.status
        return found


def test_the_target_speaks_the_protocol_and_stamps_its_own_delay() -> None:
    """The target serves confirmation, answer, delivery, history and trace. It writes the delivery 30 ms after it read
    the post."""

    async def everything() -> dict[str, object]:
        ports = free_ports(2)
        serving = asyncio.create_task(serve(ports, TOKEN, 30))
        try:
            async with asyncio.timeout(20):
                await until_listening(*ports)
                return await conversation(ports)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    found = asyncio.run(everything())
    assert found["confirmed"] == {"type": "subscribed", "channel": "c", "seq": 0}
    assert found["posted"] == {"ok": True, "channel": "c", "seq": 1, "duplicate": False}
    assert found["delivered"] == {"type": "message", "channel": "c", "seq": 1, "text": "hello"}
    assert found["history"]["messages"] == [{"seq": 1, "text": "hello"}]  # type: ignore[index]  # JSON
    (accepted,), (sent,) = found["accepted"]["rows"], found["sent"]["rows"]  # type: ignore[index]  # JSON
    assert accepted[:2] == sent[:2] == ["c", 1]
    assert sent[3] - accepted[2] >= 29_000_000
    assert sent[4:] == [1, "live"]
    assert found["backplane"]["ok"] is False  # type: ignore[index]  # JSON
    assert found["refused"] == 401
