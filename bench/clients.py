"""Clients that connect, subscribe and receive: the readers for the gateway's benchmark, and the load worker's peers.

    python -m bench.clients KIND PORT CONNECTIONS TOKEN

Prints `ready` when all are connected; ends when its standard input does.
"""

import asyncio
import os
import sys
from typing import Any

import uvloop

from harness.model.cluster import ServerAddress
from harness.protocol.chat import Chat

SUBSCRIBE = Chat().subscribe("bench", None).decode()
AT_ONCE = 64


async def picows(url: str, token: str) -> Any:
    """Only picows' own callback for each frame."""
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    class Listener(WSListener):
        def on_ws_connected(self, transport: WSTransport) -> None:
            transport.send(WSMsgType.TEXT, SUBSCRIBE.encode())

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            pass

    return await ws_connect(
        Listener, url, extra_headers={"Authorization": f"Bearer {token}"}, websocket_handshake_timeout=30
    )


async def aiohttp(url: str, token: str) -> Any:
    from aiohttp import ClientSession, TCPConnector

    global _session
    if _session is None:
        _session = ClientSession(connector=TCPConnector(limit=0))
    socket = await _session.ws_connect(url, compress=0, headers={"Authorization": f"Bearer {token}"})
    await socket.send_str(SUBSCRIBE)

    async def read() -> None:
        async for _ in socket:
            pass

    return asyncio.create_task(read())


async def websockets(url: str, token: str) -> Any:
    from websockets.asyncio.client import connect

    socket = await connect(
        url, compression=None, ping_interval=None, additional_headers={"Authorization": f"Bearer {token}"}
    )
    await socket.send(SUBSCRIBE)

    async def read() -> None:
        async for _ in socket:
            pass

    return asyncio.create_task(read())


_session: Any = None
KINDS = {"picows": picows, "aiohttp": aiohttp, "websockets": websockets}


async def run(kind: str, port: int, connections: int, token: str) -> None:
    url = Chat().websocket_url(ServerAddress(name="server-1", host="127.0.0.1", port=port))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> Any:
        async with gate:
            return await KINDS[kind](url, token)

    kept = await asyncio.gather(*(one() for _ in range(connections)))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, lambda: ended.set() if not os.read(0, 1) else None)
    print("ready", flush=True)
    await ended.wait()
    os._exit(0 if kept else 1)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
