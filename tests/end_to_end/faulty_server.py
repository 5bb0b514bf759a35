"""A small cluster that speaks docs/protocol.md and breaks one promise of it on purpose.

    python faulty_server.py --ports 9001,9002 --token-file FILE --bug drop-one

It shares no code with the harness or the reference server. All "servers" are ports of one process that share a store in
memory, which is all a test of the checks needs: what is delivered, answered, stored and traced can be told apart.
"""

import argparse
import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

BUGS = (
    "none",
    "drop-one",  # one delivery of one message to one client
    "drop-last",  # everything for one client after some point: its last messages are missing
    "twice",  # one delivery sent twice
    "twice-new-seq",  # one message delivered again under another seq
    "swap",  # two neighbouring deliveries of one client in the wrong order
    "alter",  # one character of one text at one client
    "stranger",  # one delivery to a client of another channel
    "ack-before-commit",  # the trace shows COMMIT after the answer
    "publish-before-commit",  # the trace shows the publication before COMMIT
    "ack-not-stored",  # acknowledged and delivered, never stored
    "wrong-seq-ack",  # the answer names another seq than the stored one
    "reject-but-deliver",  # answers 503 and delivers all the same
)
VICTIM = 3
"""The bug is planted in each channel's fourth message (the first is the harness's probe) …"""
DROP_FROM = 4
"""… and `drop-last` swallows everything from here on, for the first client of channel 0."""


@dataclass
class Member:
    """One subscribed connection."""

    socket: web.WebSocketResponse
    outbox: "asyncio.Queue[str]"
    held: str | None = None


@dataclass
class Channel:
    messages: list[tuple[int, str]] = field(default_factory=list)
    next_seq: int = 1
    members: list[Member] = field(default_factory=list)


class Cluster:
    def __init__(self, token: str, bug: str) -> None:
        self.token = token
        self.bug = bug
        self.channels: dict[str, Channel] = defaultdict(Channel)
        self.accepted: list[list[Any]] = []
        self.delivered: list[list[Any]] = []
        self.planted = False

    # Posting.

    async def post(self, request: web.Request) -> web.Response:
        accepted_ns = time.monotonic_ns()
        body = await request.json()
        name, text = body["channel"], body["text"]
        channel = self.channels[name]
        seq, channel.next_seq = channel.next_seq, channel.next_seq + 1
        hit = not self.planted and seq == VICTIM + 1 and len(channel.members) > 1
        committed_ns = time.monotonic_ns()
        published_ns = committed_ns
        if hit and self.bug == "publish-before-commit":
            self.planted = True
            committed_ns += 5_000_000
        if hit and self.bug == "ack-before-commit":
            self.planted = True
            committed_ns += 500_000_000
            published_ns = committed_ns
        if hit and self.bug == "ack-not-stored":
            self.planted = True
        else:
            channel.messages.append((seq, text))
        if not (hit and self.bug == "reject-but-deliver"):
            self.accepted.append([name, seq, accepted_ns, committed_ns, published_ns])
        self.deliver(name, channel, seq, text, hit, max(time.monotonic_ns(), published_ns))
        if hit and self.bug == "reject-but-deliver":
            self.planted = True
            channel.messages.pop()
            channel.next_seq -= 1
            return failure(503, "database_unavailable")
        if hit and self.bug == "wrong-seq-ack":
            self.planted = True
            seq += 1000
        return web.json_response({"ok": True, "channel": name, "seq": seq, "duplicate": False})

    # Delivering.

    def deliver(self, name: str, channel: Channel, seq: int, text: str, hit: bool, received_ns: int) -> None:
        frame = event(name, seq, text)
        for number, member in enumerate(channel.members):
            chosen = number == 0
            for each in self.frames(name, channel, member, seq, text, frame, hit and chosen, chosen):
                member.outbox.put_nowait(each)
        self.delivered.append([name, seq, received_ns, time.monotonic_ns(), len(channel.members), "live"])

    def frames(
        self, name: str, channel: Channel, member: Member, seq: int, text: str, frame: str, hit: bool, chosen: bool
    ) -> list[str]:
        """What one client gets for one message, the bug included."""
        if member.held is not None:
            held, member.held = member.held, None
            return [frame, held]
        if self.bug == "drop-last" and chosen and name.endswith(".000000") and seq >= DROP_FROM:
            return []
        if not hit:
            return [frame]
        if self.bug in ("drop-one", "twice", "twice-new-seq", "swap", "alter", "stranger"):
            self.planted = True
        if self.bug == "drop-one":
            return []
        if self.bug == "twice":
            return [frame, frame]
        if self.bug == "twice-new-seq":
            return [frame, event(name, seq + 5000, text)]
        if self.bug == "swap":
            member.held = frame
            return []
        if self.bug == "alter":
            return [event(name, seq, text[:-1] + ("x" if text[-1] != "x" else "y"))]
        if self.bug == "stranger":
            other = next(each for each in self.channels.values() if each is not channel and each.members)
            other.members[0].outbox.put_nowait(frame)
        return [frame]

    # The rest of the protocol.

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        outbox: asyncio.Queue[str] = asyncio.Queue()
        writer = asyncio.create_task(write_all(socket, outbox))
        joined: list[tuple[Channel, Member]] = []
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                command = json.loads(message.data)
                channel = self.channels[command["channel"]]
                member = Member(socket, outbox)
                channel.members.append(member)
                joined.append((channel, member))
                seq = command.get("since", channel.next_seq - 1)
                outbox.put_nowait(json.dumps({"type": "subscribed", "channel": command["channel"], "seq": seq}))
                for old_seq, text in channel.messages:
                    if old_seq > seq:
                        outbox.put_nowait(event(command["channel"], old_seq, text))
        finally:
            for channel, member in joined:
                channel.members.remove(member)
            writer.cancel()
        return socket

    async def history(self, request: web.Request) -> web.Response:
        channel = self.channels[request.query["channel"]]
        since, limit = int(request.query.get("since", 0)), int(request.query.get("limit", 100))
        rows = [{"seq": seq, "text": text} for seq, text in channel.messages if seq > since][:limit]
        last = channel.messages[-1][0] if channel.messages else 0
        return web.json_response({"ok": True, "channel": request.query["channel"], "messages": rows, "last_seq": last})

    async def trace(self, request: web.Request) -> web.Response:
        part = request.query["part"]
        # One store for all ports: the whole trace is told by the first of them, so that nothing is told twice.
        first = request.url.port == request.app["ports"][0]
        rows = (self.accepted if part == "accepted" else self.delivered) if first else []
        if part == "delivered" and not first:
            rows = self.delivered
        offset = int(request.query.get("offset", 0))
        page = rows[offset : offset + int(request.query.get("limit", 50_000))]
        return web.json_response(
            {"ok": True, "part": part, "offset": offset, "total": len(rows), "dropped": 0, "rows": page}
        )

    async def healthy(self, request: web.Request) -> web.Response:
        clock = {
            "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            "time_namespace": os.readlink("/proc/self/ns/time"),
        }
        return web.json_response({"ok": True, "database": "up", "backplane": "up", "clock": clock})


async def write_all(socket: web.WebSocketResponse, outbox: "asyncio.Queue[str]") -> None:
    while True:
        await socket.send_str(await outbox.get())


def event(channel: str, seq: int, text: str) -> str:
    return json.dumps({"type": "message", "channel": channel, "seq": seq, "text": text})


def failure(status: int, code: str) -> web.Response:
    return web.json_response({"ok": False, "error": code, "detail": code}, status=status)


@web.middleware
async def guard(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    if request.headers.get("Authorization") != f"Bearer {request.app['cluster'].token}":
        return failure(401, "unauthorized")
    return await handler(request)


async def serve(ports: list[int], token: str, bug: str) -> None:
    cluster = Cluster(token, bug)
    app = web.Application(middlewares=[guard])
    app["cluster"], app["ports"] = cluster, ports
    app.router.add_post("/v1/chat.postMessage", cluster.post)
    app.router.add_get("/v1/ws", cluster.socket)
    app.router.add_get("/v1/conversations.history", cluster.history)
    app.router.add_get("/v1/trace", cluster.trace)
    app.router.add_get("/healthz", cluster.healthy)
    app.router.add_get("/readyz", cluster.healthy)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for port in ports:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--bug", choices=BUGS, default="none")
    arguments = parser.parse_args()
    ports = [int(port) for port in arguments.ports.split(",")]
    asyncio.run(serve(ports, arguments.token_file.read_text().strip(), arguments.bug))


if __name__ == "__main__":
    main()
