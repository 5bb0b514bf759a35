"""Bugs in many deliveries: the ends of channels, whole channels, the numbering, the delivery's frames and times."""

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import msgspec

from harness.prove.way.http_message import HttpMessage
from harness.prove.way.link import Link
from harness.prove.way.victims import VICTIM_SEQ, VICTIMS
from harness.prove.way.way_bug import Event, WayBug
from harness.prove.way.websocket_frames import CONTINUATION, PING, TEXT, WebSocketFrame, server_frame


@dataclass(slots=True, kw_only=True)
class Deliveries(WayBug, ABC):
    """Replaces deliveries; everything else passes."""

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if event.type == "message":
            await self.deliver(link, event, frame)
        else:
            link.write(frame.raw)

    @abstractmethod
    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        """The bytes that the client gets instead of a delivery."""


class Faithful(WayBug):
    """Breaks nothing."""


class LastMessageLost(Deliveries):
    """One client in each channel never gets the channel's last message, number ``last_seq``."""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        first = next(other for other in self.links if other.channel == event.channel)
        if link is first and event.seq == self.options["last_seq"]:
            self.events.add(f"client {link.number}, {event.channel} seq {event.seq}")
        else:
            link.write(frame.raw)


class ChannelOfOneServerLost(Deliveries):
    """The clients of one channel on one server get nothing after the channel's probe."""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if link.server == 1 and event.channel.endswith("000000") and event.seq > 1:
            self.events.add(f"client {link.number}, {event.channel} seq {event.seq}")
        else:
            link.write(frame.raw)


class ServerDeaf(Deliveries):
    """The second server is healthy and confirms subscriptions, but delivers nothing after the probe."""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if link.server == 1 and event.seq > 1:
            self.events.add(f"client {link.number}, {event.channel} seq {event.seq}")
        else:
            link.write(frame.raw)


@dataclass(slots=True, kw_only=True)
class Renumbered(WayBug, ABC):
    """The whole service counts as `number` says: deliveries, answers, history and traces agree."""

    FIRST = 5

    @abstractmethod
    def number(self, seq: int) -> int:
        """The seq that the service shows for a message that is really number ``seq``."""

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        link.write(msgspec.structs.replace(event, seq=self.number(event.seq)).frame() if event.seq else frame.raw)

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        found = response.json()
        if request.path.endswith("chat.postMessage") and found.get("ok"):
            seq = int(str(found["seq"]))
            if seq == self.FIRST:
                self.events.add(f"from seq {seq} on, the number is {self.number(seq)}")
            return response.with_json({**found, "seq": self.number(seq)}).raw
        if request.path.endswith("conversations.history") and found.get("ok"):
            rows = msgspec.convert(found["messages"], list[dict[str, int | str]])
            shown = [{**row, "seq": self.number(int(row["seq"]))} for row in rows]
            return response.with_json(
                {**found, "messages": shown, "last_seq": self.number(int(str(found["last_seq"])))}
            ).raw
        if request.path.endswith("trace") and request.query.get("part") in ("accepted", "delivered"):
            table = msgspec.convert(found["rows"], list[list[int | str]])
            return response.with_json(
                {**found, "rows": [[row[0], self.number(int(row[1])), *row[2:]] for row in table]}
            ).raw
        return response.raw


class Gap(Renumbered):
    """A number is left out in each channel."""

    def number(self, seq: int) -> int:
        return seq + (seq >= self.FIRST)


class FromOneAgain(Renumbered):
    """Each channel counts from 1 again in the middle."""

    def number(self, seq: int) -> int:
        return seq if seq < self.FIRST else seq - self.FIRST + 1


class WrongPosition(WayBug):
    """Each confirmation names a position far ahead, and then one delivery of some clients is lost."""

    AHEAD = 100_000

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if event.type == "subscribed":
            link.write(msgspec.structs.replace(event, seq=event.seq + self.AHEAD).frame())
        elif event.seq == VICTIM_SEQ and link.number < VICTIMS:
            self.events.add(f"client {link.number}, {event.channel} seq {event.seq}")
        else:
            link.write(frame.raw)


class Fragmented(Deliveries):
    """Each delivery comes in three fragments."""

    between = b""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        self.events.add(event.channel)
        third = len(frame.payload) // 3
        parts = frame.payload[:third], frame.payload[third : 2 * third], frame.payload[2 * third :]
        link.write(
            server_frame(parts[0], opcode=TEXT, final=False)
            + self.between
            + server_frame(parts[1], opcode=CONTINUATION, final=False)
            + self.between
            + server_frame(parts[2], opcode=CONTINUATION)
        )


class FragmentedAroundPing(Fragmented):
    """Each delivery comes in three fragments with a ping between."""

    between = server_frame(b"are you there", opcode=PING)


class SplitSegments(Deliveries):
    """Each delivery comes in three TCP segments, cut within the frame's head and within its payload."""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        self.events.add(event.channel)
        for part in (frame.raw[:1], frame.raw[1:50], frame.raw[50:]):
            link.write(part)
            await asyncio.sleep(0.001)


@dataclass(slots=True, kw_only=True)
class JoinedAroundPing(Deliveries):
    """Two deliveries come in one write with a ping between."""

    held: dict[Link, bytes] = field(default_factory=dict)

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if (before := self.held.pop(link, None)) is not None:
            self.events.add(event.channel)
            link.write(before + server_frame(b"", opcode=PING) + frame.raw)
            return
        self.held[link] = frame.raw
        asyncio.get_running_loop().call_later(0.04, self._write_held, link)

    def _write_held(self, link: Link) -> None:
        link.write(self.held.pop(link, b""))


@dataclass(slots=True, kw_only=True)
class Late(Deliveries):
    """One of ``every`` messages reaches all its clients ``late_ms`` late."""

    late: set[tuple[str, int]] = field(default_factory=set)

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        # The text names the message's number in the schedule, so that the late ones are spread evenly over the run.
        number = int(event.text.split("/")[1])
        if number % self.options["every"] == 0:
            if (event.channel, event.seq) not in self.late:
                self.late.add((event.channel, event.seq))
                self.events.add(f"message {number}")
            await asyncio.sleep(self.options["late_ms"] / 1000)
        link.write(frame.raw)


class Saturated(Deliveries):
    """Each client gets a delivery every ``pause_ms`` at most; the others wait."""

    async def deliver(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        self.events.add(event.channel)
        await asyncio.sleep(self.options["pause_ms"] / 1000)
        link.write(frame.raw)


@dataclass(slots=True, kw_only=True)
class Freeze(WayBug):
    """All traffic stops for ``freeze_ms`` every ``every_s`` seconds, from the first delivery on."""

    began: bool = False

    async def on_event(self, link: Link, event: Event, frame: WebSocketFrame) -> None:
        if not self.began and event.type == "message":
            self.began = True
            asyncio.get_running_loop().call_later(self.options["every_s"], self._freeze)
        link.write(frame.raw)

    def _freeze(self) -> None:
        self.events.add(f"at {time.monotonic_ns()} ns")
        asyncio.get_running_loop().call_later(self.options["every_s"], self._freeze)
        time.sleep(self.options["freeze_ms"] / 1000)
