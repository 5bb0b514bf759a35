"""A server that delivers every message a fixed time after its post, and records both times: a reference for measured
latency.

``python -m harness.prove.constant_delay_target --ports P1,P2 --delay-ms 20``. It follows docs/protocol.md, shares no
code with the reference server and keeps everything in memory. All its ports are one service. With a delay of 0 it is a
trivial target, which shows how much load the harness can make.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvloop

from harness.prove.way.http_message import HttpMessage, json_response
from harness.prove.way.websocket_frames import CLOSE, PING, TEXT, FrameReader, server_frame

HANDSHAKE_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 §1.3"""
PONG = 0xA
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Channel:
    texts: list[str] = field(default_factory=list)
    members: list["Connection"] = field(default_factory=list)


class Service:
    """The state that all ports share. Times are of CLOCK_MONOTONIC."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.channels: dict[str, Channel] = defaultdict(Channel)
        self.accepted: list[list[Any]] = []
        self.delivered: list[list[Any]] = []

    def post(self, body: bytes) -> HttpMessage:
        accepted_ns = time.monotonic_ns()
        post = json.loads(body)
        name, channel = post["channel"], self.channels[post["channel"]]
        channel.texts.append(post["text"])
        seq = len(channel.texts)
        self.accepted.append([name, seq, accepted_ns, accepted_ns, accepted_ns])
        event = {"type": "message", "channel": name, "seq": seq, "text": post["text"]}
        frame = server_frame(json.dumps(event).encode())
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self._deliver, name, channel, seq, frame)
        else:
            self._deliver(name, channel, seq, frame)
        return json_response(200, "OK", {"ok": True, "channel": name, "seq": seq, "duplicate": False})

    def _deliver(self, name: str, channel: Channel, seq: int, frame: bytes) -> None:
        received_ns = time.monotonic_ns()
        for member in channel.members:
            member.write(frame)
        self.delivered.append([name, seq, received_ns, time.monotonic_ns(), len(channel.members), "live"])

    def history(self, query: dict[str, str]) -> HttpMessage:
        name, since, limit = query["channel"], int(query.get("since", 0)), int(query.get("limit", 100))
        texts = self.channels[name].texts
        rows = [{"seq": since + n, "text": text} for n, text in enumerate(texts[since : since + limit], 1)]
        return json_response(200, "OK", {"ok": True, "channel": name, "messages": rows, "last_seq": len(texts)})

    def trace(self, query: dict[str, str], *, first: bool) -> HttpMessage:
        """Only the first port reports the trace, so that nothing is reported twice."""
        part = query["part"]
        if part not in ("accepted", "delivered"):
            return json_response(400, "Bad Request", {"ok": False, "error": "invalid_request", "detail": part})
        rows = (self.accepted if part == "accepted" else self.delivered) if first else []
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50_000))
        page = {"total": len(rows), "dropped": 0, "rows": rows[offset : offset + limit]}
        return json_response(200, "OK", {"ok": True, "part": part, "offset": offset, **page})


class Connection(asyncio.Protocol):
    """One connection: HTTP requests, perhaps a WebSocket after them."""

    def __init__(self, service: Service, token: str, *, first: bool) -> None:
        self._service = service
        self._token = token
        self._first = first
        self._buffer = b""
        self._frames: FrameReader | None = None
        self._channels: list[Channel] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        for channel in self._channels:
            channel.members.remove(self)

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._frames is not None:
            self._on_frames(data)
            return
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[: end + 4]
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if len(self._buffer) < len(head) + length:
                return
            request = HttpMessage(head=head, body=self._buffer[len(head) : len(head) + length])
            self._buffer = self._buffer[len(head) + length :]
            self.write(self._answer(request).raw)

    def _answer(self, request: HttpMessage) -> HttpMessage:
        if f"authorization: bearer {self._token}".lower() not in request.head.decode("latin-1").lower():
            return json_response(401, "Unauthorized", {"ok": False, "error": "unauthorized", "detail": "token"})
        if request.path == "/v1/chat.postMessage":
            return self._service.post(request.body)
        if request.path == "/v1/ws":
            self._frames = FrameReader()
            return _handshake(request)
        if request.path == "/v1/conversations.history":
            return self._service.history(request.query)
        if request.path == "/v1/trace":
            return self._service.trace(request.query, first=self._first)
        if request.path in ("/healthz", "/readyz"):
            return json_response(200, "OK", {"ok": True, "database": "up", "backplane": "up", "clock": _clock()})
        return json_response(404, "Not Found", {"ok": False, "error": "not_found", "detail": request.path})

    def _on_frames(self, data: bytes) -> None:
        assert self._frames is not None
        for frame in self._frames.feed(data):
            if frame.opcode == PING:
                self.write(server_frame(frame.payload, opcode=PONG))
            elif frame.opcode == CLOSE:
                self.write(server_frame(frame.payload, opcode=CLOSE))
            elif frame.opcode == TEXT:
                self._subscribe(json.loads(frame.payload)["channel"])

    def _subscribe(self, name: str) -> None:
        channel = self._service.channels[name]
        channel.members.append(self)
        self._channels.append(channel)
        confirmation = {"type": "subscribed", "channel": name, "seq": len(channel.texts)}
        self.write(server_frame(json.dumps(confirmation).encode()))


def _handshake(request: HttpMessage) -> HttpMessage:
    key = next(
        line.partition(b":")[2].strip()
        for line in request.head.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key:")
    )
    digest = hashlib.sha1(key + HANDSHAKE_KEY.encode(), usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    return HttpMessage(head="\r\n".join((*lines, f"Sec-WebSocket-Accept: {accept}", "", "")).encode())


def _clock() -> dict[str, str] | None:
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return {"boot_id": boot_id, "time_namespace": os.readlink("/proc/self/ns/time")}
    except OSError:
        return None


async def serve(ports: list[int], token: str, delay_ms: float) -> None:
    service = Service(delay_ms / 1000)
    async with AsyncExitStack() as listening:
        for number, port in enumerate(ports):
            accept = partial(Connection, service, token, first=number == 0)
            server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", port)
            await listening.enter_async_context(server)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True)
    parser.add_argument("--delay-ms", type=float, required=True)
    arguments = parser.parse_args()
    token = os.environ["HARNESS_TOKEN"]
    uvloop.run(serve([int(port) for port in arguments.ports.split(",")], token, arguments.delay_ms))


if __name__ == "__main__":
    main()
