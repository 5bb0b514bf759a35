"""The interface of a bug on the way: the proxy calls it for everything that passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from harness.prove.planted_events import PlantedEvents
from harness.prove.way.http_message import HttpMessage
from harness.prove.way.link import Link
from harness.prove.way.websocket_frames import TEXT, WebSocketFrame, server_frame


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of docs/protocol.md as a server sends it."""

    type: str
    channel: str = ""
    seq: int = 0
    text: str = ""

    def frame(self) -> bytes:
        return server_frame(msgspec.json.encode(self))


_decode = msgspec.json.Decoder(Event).decode


def event_of(frame: WebSocketFrame) -> Event | None:
    """The event in a frame; None for a frame without an event."""
    if frame.opcode != TEXT or not frame.final:
        return None
    try:
        return _decode(frame.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


@dataclass(slots=True, kw_only=True)
class WayBug:
    """Passes everything on as it is. A bug overrides what it breaks and adds one of ``events`` for each time.

    ``options`` are numbers of the case, e.g. how many events. ``links`` are the clients' connections so far.
    """

    events: PlantedEvents
    options: Mapping[str, float] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    async def on_connect(self, server: int) -> None:
        """A client asks for a WebSocket at this server."""

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        """The response that the client gets for this request."""
        return response.raw

    async def on_command(self, link: Link, frame: WebSocketFrame) -> bytes:
        """The bytes that the server gets for this frame of the client."""
        return frame.raw

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        """Write to ``link`` the bytes that the client gets for this event of the server."""
        link.write(frame.raw)
