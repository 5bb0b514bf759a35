"""Servers for the made-up protocol of `tests.seams.parrot`. Each port is one server, and all share a store in memory.

    python -m tests.seams.parrot_server TOKEN PORT PORT …

A member gets no message before it has answered the ping. So a run passes only if the harness sends replies.
"""

import asyncio
import sys
from collections import defaultdict

from aiohttp import WSMsgType, web

TOKEN, *PORTS = sys.argv[1:]
rooms: dict[str, list[str]] = defaultdict(list)
members: dict[str, list[web.WebSocketResponse]] = defaultdict(list)


@web.middleware
async def check_key(request: web.Request, handler):  # type: ignore[no-untyped-def]  # aiohttp's handlers have many types
    if request.headers.get("X-Parrot-Key") != TOKEN:
        return web.Response(status=401, text="another key")
    return await handler(request)


async def put_words(request: web.Request) -> web.Response:
    body = await request.json()
    room, words = body["room"], body["words"]
    rooms[room].append(words)
    seq = len(rooms[room])
    for member in list(members[room]):
        await member.send_str(f"say {room} {seq} {words}")
    return web.Response(status=201, text=str(seq))


async def converse(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    room, position = "", 0
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        word, *rest = message.data.split(" ")
        if word == "hello":
            await socket.send_str("welcome")
        elif word == "join":
            room, since = rest
            position = len(rooms[room]) if since == "now" else int(since)
            await socket.send_str(f"joined {room} {position}")
            await socket.send_str("ping")
        elif word == "pong":
            for seq, words in enumerate(rooms[room][position:], position + 1):
                await socket.send_str(f"say {room} {seq} {words}")
            members[room].append(socket)
    if socket in members[room]:
        members[room].remove(socket)
    return socket


async def past(request: web.Request) -> web.Response:
    after, most = int(request.query["after"]), int(request.query["most"])
    rows = list(enumerate(rooms[request.query["room"]], 1))
    return web.json_response(rows[after : after + most])


async def alive(request: web.Request) -> web.Response:
    return web.Response(text="alive")


async def serve() -> None:
    app = web.Application(middlewares=[check_key])
    app.router.add_put("/parrot/words", put_words)
    app.router.add_get("/parrot/socket", converse)
    app.router.add_get("/parrot/past", past)
    app.router.add_get("/parrot/alive", alive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for port in PORTS:
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
