"""The servers with which the gateway is compared: the simplest broadcast in each.

    python -m bench.servers KIND PORT

Each takes WebSocket connections on any path and, on `POST /broadcast`, sends the body to all of them, one write for
each.
"""

import asyncio
import sys

import uvloop


async def starlette(port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    sockets: set[WebSocket] = set()

    async def connect(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            sockets.discard(socket)

    async def broadcast(request: Request) -> Response:
        text = (await request.body()).decode()
        for socket in list(sockets):
            await socket.send_text(text)
        return Response()

    app = Starlette(routes=[WebSocketRoute("/v1/ws", connect), Route("/broadcast", broadcast, methods=["POST"])])
    config = uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        backlog=4096,
        log_level="error",
    )
    await uvicorn.Server(config).serve()


async def aiohttp(port: int) -> None:
    from aiohttp import web

    sockets: set[web.WebSocketResponse] = set()

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.add(socket)
        async for _ in socket:
            pass
        sockets.discard(socket)
        return socket

    async def broadcast(request: web.Request) -> web.Response:
        text = await request.text()
        for socket in list(sockets):
            await socket.send_str(text)
        return web.Response()

    app = web.Application()
    app.router.add_get("/v1/ws", connect)
    app.router.add_post("/broadcast", broadcast)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


async def websockets(port: int) -> None:
    """No HTTP routes here: a frame that starts with `!` asks for the broadcast of its rest."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    sockets: set[ServerConnection] = set()

    async def connect(socket: ServerConnection) -> None:
        sockets.add(socket)
        try:
            async for message in socket:
                if isinstance(message, str) and message.startswith("!"):
                    broadcast(sockets - {socket}, message[1:])
        finally:
            sockets.discard(socket)

    async with serve(connect, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4096):
        await asyncio.Event().wait()


KINDS = {"starlette": starlette, "aiohttp": aiohttp, "websockets": websockets}

if __name__ == "__main__":
    uvloop.run(KINDS[sys.argv[1]](int(sys.argv[2])))
