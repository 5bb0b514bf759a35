"""A client with a stand-in for its transport, and frames for that client."""

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.load.client import Client, Sink
from harness.load.frames import FrameTable
from harness.load.protocol.dialogue import Dialogue
from harness.load.protocol.framing import (
    TEXT,
    server_frame,
)
from harness.model.message import channel_name, message_text
from harness.protocol.chat import Chat
from harness.protocol.contract import ClientProtocol
from harness.recording.format import DELIVERY
from tests.harness.plans import a_plan

PLAN = a_plan()
CHANNEL = channel_name(PLAN.run_id, 0)


class Transport:
    """A stand-in for a transport and for its socket. It records what the client does with it."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.done: list[object] = []
        self.unwritten_bytes = 0

    def get_write_buffer_size(self) -> int:
        return self.unwritten_bytes

    def set_protocol(self, protocol: object) -> None:
        self.protocol = protocol

    def write(self, frame: bytes) -> None:
        """Accepts a masked frame of less than 126 bytes."""
        assert frame[0] & 0x80
        assert frame[1] & 0x80
        mask, masked = frame[2:6], frame[6:]
        assert len(masked) == frame[1] & 0x7F
        self.sent.append((frame[0] & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))))

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")

    def get_extra_info(self, name: str) -> "Transport":
        return self

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.done.append(value)


class Notes:
    """Records incidents."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.reasons: list[str] = []

    def note(self, kind: str, reason: str, example: str = "") -> None:
        self.kinds.append(str(kind))
        self.reasons.append(reason)
        assert example.startswith("client 3 on server 2")


class Connected:
    """A connected client with its transport, its rows, its incidents, and the states that its listener saw."""

    def __init__(self, protocol: ClientProtocol | None = None) -> None:
        protocol = protocol or Chat()
        self.notes = Notes()
        self.sink = Sink(FrameTable(PLAN, 10, protocol.classify), self.notes)  # type: ignore[arg-type]  # a stand-in
        self.changes: list[tuple[bool, str, bool]] = []
        self.client = Client(3, 1, Dialogue(CHANNEL, protocol), self.sink, self.on_change)
        self.connect()

    def connect(self) -> None:
        self.transport: Any = Transport()
        self.client.open(self.transport, b"")

    def on_change(self, client: Client) -> None:
        self.changes.append((client.live, client.dialogue.refusal, client.transport is None))

    def receive(self, *frames: bytes) -> None:
        """Give each frame to the client in a read of its own."""
        for frame in frames:
            self.client.data_received(frame)

    def rows(self) -> Any:
        return np.frombuffer(self.sink.rows, DELIVERY)

    def last(self, opcode: int) -> bytes:
        return next(payload for kind, payload in reversed(self.transport.sent) if kind == opcode)


def looped(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in an event loop, because a client needs one."""

    @functools.wraps(test)
    def wrapper(*arguments: Any, **named: Any) -> None:
        async def main() -> None:
            test(*arguments, **named)

        asyncio.run(main())

    return wrapper


def event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def payload(number: int, seq: int) -> bytes:
    return event(type="message", channel=CHANNEL, seq=seq, text=message_text(PLAN.run_id, number, PLAN.text_bytes))


def message(number: int, seq: int) -> bytes:
    return server_frame(TEXT, payload(number, seq))


def text(data: bytes) -> bytes:
    return server_frame(TEXT, data)


def fragment(opcode: int, data: bytes) -> bytes:
    """A frame without FIN."""
    frame = server_frame(opcode, data)
    return bytes((frame[0] & 0x7F, *frame[1:]))


CONFIRMATION = text(event(type="subscribed", channel=CHANNEL, seq=4))
