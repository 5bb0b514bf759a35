"""A bug on the way, without real sockets: the bytes that each client would get."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from harness.model.registry import load
from harness.prove.planted_events import PlantedEvents
from harness.prove.way.link import Link
from harness.prove.way.way_bug import Event, WayBug, event_of
from harness.prove.way.websocket_frames import FrameReader, WebSocketFrame


class Socket:
    """Keeps the bytes that are written to it."""

    def __init__(self) -> None:
        self.data = b""
        self.transport = self
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    async def drain(self) -> None:
        pass

    @property
    def frames(self) -> list[WebSocketFrame]:
        return FrameReader().feed(self.data)

    @property
    def seqs(self) -> list[int]:
        return [event.seq for frame in self.frames if (event := event_of(frame)) is not None]


class Way:
    """``clients`` in channels of ``audience``, behind the bug at ``path``. Neighbouring clients are on different
    servers."""

    def __init__(self, path: str, folder: Path, *, clients: int = 4, audience: int = 2, **options: float) -> None:
        self.sockets = [Socket() for _ in range(clients)]
        self.bug: WayBug = load(f"harness.prove.way.{path}")(
            events=PlantedEvents(folder / "planted.txt"), options=options
        )
        self.channels = [f"rtest.{client // audience:06d}" for client in range(clients)]
        for number, (socket, channel) in enumerate(zip(self.sockets, self.channels, strict=True)):
            link = Link(number=number, server=number % 2, downstream=socket, channel=channel)  # type: ignore[arg-type]  # a stand-in
            self.bug.links.append(link)

    def deliver(self, *seqs: int, options: Mapping[str, float] | None = None) -> None:
        """Delivers each seq to every client of every channel."""

        async def everything() -> None:
            for seq in seqs:
                for link in self.bug.links:
                    text = f"rtest/{seq:010d}/text"
                    event = Event(type="message", channel=link.channel, seq=seq, text=text)
                    (frame,) = FrameReader().feed(event.frame())
                    await self.bug.on_event(link, event, frame)

        asyncio.run(everything())

    @property
    def planted(self) -> int:
        return self.bug.events.count
