"""Bugs in connections: handshakes, and the messages after a reconnection."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from harness.prove.way.http_message import HttpMessage
from harness.prove.way.link import Link
from harness.prove.way.way_bug import Event, WayBug
from harness.prove.way.websocket_frames import WebSocketFrame, client_frame

CUT_SEQ = 10
VICTIMS = 3


class NoHandshake(WayBug):
    """The second server answers everything but a WebSocket's handshake."""

    async def on_connect(self, server: int) -> None:
        if server == 1:
            self.events.add("a handshake without an answer")
            await asyncio.Event().wait()


@dataclass(slots=True, kw_only=True)
class ServerGone(WayBug):
    """After the tenth message of a channel the second server cuts every connection and accepts no new one."""

    gone: bool = False

    async def on_connect(self, server: int) -> None:
        self._refuse(server)

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        self._refuse(server)
        return response.raw

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw)
        if event.seq == CUT_SEQ and not self.gone:
            self.gone = True
            self.events.add("the second server is gone")
            for other in self.links:
                if other.server == 1:
                    other.cut()

    def _refuse(self, server: int) -> None:
        if self.gone and server == 1:
            raise ConnectionResetError("the server is gone")


@dataclass(slots=True, kw_only=True)
class FalseResume(WayBug):
    """Cuts the connections of some clients once, after their channel's tenth message, and lets the server resume from
    another position than the client asked for. The confirmation names the position that the client asked for."""

    shift = 0
    cut: set[Link] = field(default_factory=set)
    asked: dict[Link, int] = field(default_factory=dict)

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if event.type == "subscribed" and link in self.asked:
            # Counted here, because the server may refuse a position that it does not have yet, and the client asks again.
            self.events.add(f"client {link.number} resumes after {self.asked[link]}")
            frame = frame._replace(raw=msgspec.structs.replace(event, seq=self.asked[link]).frame())
        link.write(frame.raw)
        if event.seq == CUT_SEQ and event.type == "message" and len(self.cut) < VICTIMS and link not in self.asked:
            self.cut.add(link)
            await link.downstream.drain()
            # The client has read the message, so the cut does not lose it.
            await asyncio.sleep(0.05)
            link.cut()

    async def on_command(self, link: Link, frame: WebSocketFrame) -> bytes:
        command = msgspec.json.decode(frame.payload, type=dict[str, str | int]) if frame.opcode == 1 else {}
        since = command.get("since")
        if not isinstance(since, int) or since < CUT_SEQ:
            return frame.raw
        self.asked[link] = since
        return client_frame(msgspec.json.encode({**command, "since": since + self.shift}))


class ResumeSkips(FalseResume):
    """The first message after the client's position is left out."""

    shift = 1


class ResumeRepeats(FalseResume):
    """The client's last message comes again."""

    shift = -1


class ResumeFaithful(FalseResume):
    """Connections are cut, and the resume is correct."""
