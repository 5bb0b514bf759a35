"""Bugs in single deliveries: each victim is a different client, and exactly one of its deliveries is broken."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import msgspec

from harness.prove.way.link import Link
from harness.prove.way.victims import VICTIM_SEQ, VICTIMS
from harness.prove.way.way_bug import Event, WayBug
from harness.prove.way.websocket_frames import BINARY, WebSocketFrame, server_frame

NEW_SEQ = 5_000
ELSEWHERE = "r00000000.000000"
"""a channel of another run"""


@dataclass(slots=True, kw_only=True)
class OneDelivery(WayBug, ABC):
    """Breaks one delivery of each of the first clients to get their channel's fifth message. Option ``victims``: of how
    many clients, ``seq``: which message."""

    victims: set[Link] = field(default_factory=set)

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if self.is_hit(link, event):
            self.victims.add(link)
            self.events.add(f"client {link.number}, {event.channel} seq {event.seq}")
            await self.plant(link, event, frame)
        else:
            await self.pass_on(link, event, frame)

    def is_hit(self, link: Link, event: Event) -> bool:
        return (
            event.type == "message"
            and event.seq == self.options.get("seq", VICTIM_SEQ)
            and link not in self.victims
            and len(self.victims) < self.options.get("victims", VICTIMS)
        )

    @abstractmethod
    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        """Write what the victim gets."""

    async def pass_on(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw)


class Lost(OneDelivery):
    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        pass


class Twice(OneDelivery):
    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw * 2)


class TwiceUnderTwoSeqs(OneDelivery):
    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + _changed(event, seq=event.seq + NEW_SEQ))


@dataclass(slots=True, kw_only=True)
class Swapped(OneDelivery):
    """The delivery and the next one are swapped."""

    held: dict[Link, bytes] = field(default_factory=dict)

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        self.held[link] = frame.raw

    async def pass_on(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + self.held.pop(link, b""))


class ByteAltered(OneDelivery):
    """One byte of the text."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(_changed(event, text=event.text[:-1] + ("x" if event.text[-1] != "x" else "y")))


class ChannelAltered(OneDelivery):
    """The delivery names another channel of the same run."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(_changed(event, channel=_neighbour(event.channel)))


class SeqAltered(OneDelivery):
    """The delivery names a seq that another message has: the one before. One victim in each channel, because the judge
    counts places, a channel and a seq."""

    def is_hit(self, link: Link, event: Event) -> bool:
        return OneDelivery.is_hit(self, link, event) and all(link.channel != event.channel for link in self.victims)

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(_changed(event, seq=event.seq - 1))


class ToAnotherClient(OneDelivery):
    """A client that did not subscribe to the channel gets the delivery too."""

    def is_hit(self, link: Link, event: Event) -> bool:
        return OneDelivery.is_hit(self, link, event) and self._stranger(event) is not None

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw)
        stranger = self._stranger(event)
        assert stranger is not None
        stranger.write(frame.raw)

    def _stranger(self, event: Event) -> Link | None:
        return next((other for other in self.links if other.channel not in ("", event.channel)), None)


class OfAnotherRun(OneDelivery):
    """A delivery of a channel that is not of this run."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + _changed(event, channel=ELSEWHERE, text=f"{ELSEWHERE}/0000000001/of another run"))


class NeverPosted(OneDelivery):
    """A delivery of a text that was never posted."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + _changed(event, text="nobody posted this"))


class InBinaryFrame(OneDelivery):
    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(server_frame(frame.payload, opcode=BINARY))


class NotUtf8(OneDelivery):
    """A text frame whose text is not UTF-8: the first byte of the text becomes 0xFF."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        text = event.text.encode()
        link.write(server_frame(frame.payload.replace(text, b"\xff" + text[1:])))


class NotJson(OneDelivery):
    """A text frame beside the delivery that is not JSON."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + server_frame(b'{"type": "message", "channel": '))


class UnaskedError(OneDelivery):
    """An error event that answers no command."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(frame.raw + server_frame(b'{"type": "error", "error": "invalid_json", "detail": "of no command"}'))


class BrokenFrame(OneDelivery):
    """A frame with an opcode that does not exist. The delivery itself follows on the next connection."""

    async def plant(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(server_frame(frame.payload, opcode=0x7))


def _changed(event: Event, **changes: str | int) -> bytes:
    return msgspec.structs.replace(event, **changes).frame()


def _neighbour(channel: str) -> str:
    """The name of the neighbouring channel: the next one after an even number, the one before an odd number."""
    number = int(channel[-6:])
    return f"{channel[:-6]}{number ^ 1:06d}"
