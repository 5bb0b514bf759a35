"""Stand-ins for the parts around the gateway. They record the calls."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from reference_server.backplane.base import Outgoing, Receiver
from reference_server.gateway.client_connection import Connection
from reference_server.message_log.base import LogUnavailable


class FakeTransport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.waiting = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting


class FakeSocket:
    def __init__(self) -> None:
        self.transport: Any = FakeTransport()
        self.writable = asyncio.Event()
        self.writable.set()
        self.closed_with: tuple[int, str] | None = None

    def close_now(self, code: int, reason: str) -> None:
        self.closed_with = (code, reason)

    @property
    def seqs(self) -> list[int]:
        """The seqs of the written frames that `frame` made, in order."""
        return [int(number) for number in re.findall(rb"<(\d+)>", b"".join(self.transport.written))]


def fake_connection() -> tuple[Connection, FakeSocket]:
    socket = FakeSocket()
    return Connection(socket), socket


class FakeBackplane:
    def __init__(self) -> None:
        self.up = True
        self.subscribed: list[str] = []
        self.unsubscribed: list[str] = []

    async def run(self, receiver: Receiver) -> None:
        raise AssertionError("no test may reach this method of a stand-in")

    def subscribe(self, channels: Collection[str]) -> None:
        self.subscribed.extend(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self.unsubscribed.extend(channels)

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        raise AssertionError("no test may reach this method of a stand-in")


class FakeReceiver:
    """Stands in for the gateway that a backplane calls."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def on_message(self, channel: str, seq: int, frame: bytes) -> None:
        self.events.append(("message", channel, seq, frame))

    def on_newer(self, channel: str, seq: int) -> None:
        self.events.append(("newer", channel, seq))

    def on_subscribed(self, channels: Collection[str]) -> None:
        self.events.append(("subscribed", *sorted(channels)))

    def on_state(self, up: bool) -> None:
        self.events.append(("up" if up else "down",))


class FakeLog:
    """A message log: each channel has the messages "text 1", "text 2" … up to its number in ``committed``."""

    def __init__(self) -> None:
        self.committed: dict[str, int] = {}
        self.questions: list[Sequence[object]] = []
        self.down = False
        self.reads = 0
        """the number of reads of the tail"""
        self._marks: list[dict[str, int]] = []

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        raise AssertionError("no test may reach this method of a stand-in")

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        self.questions.append(list(channels))
        await asyncio.sleep(0)
        if self.down:
            raise LogUnavailable("down")
        return {name: self.committed[name] for name in channels if name in self.committed}

    async def newer(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        newest = await self.newest([name for name, _ in positions])
        return {name: newest[name] for name, position in positions if newest.get(name, 0) > position}

    async def since(self, mark: Any, limit: int) -> tuple[Any, list[tuple[str, int, str]]]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.down:
            raise LogUnavailable("down")
        self._marks.append(dict(self.committed))
        if mark is None:
            return len(self._marks) - 1, []
        since, newest = self._marks[mark], self._marks[-1]
        rows = [(c, seq, f"text {seq}") for c in sorted(newest) for seq in range(since.get(c, 0) + 1, newest[c] + 1)]
        return len(self._marks) - 1, rows[:limit]

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str]]]:
        self.questions.append(list(asked))
        await asyncio.sleep(0)
        if self.down:
            raise LogUnavailable("down")
        return [
            [(seq, f"text {seq}") for seq in range(since + 1, min(self.committed[name], since + limit) + 1)]
            for name, since in asked
        ]


def frame(seq: int) -> bytes:
    return b"<%d>" % seq


async def until(condition: Callable[[], object], *, limit_s: float = 10.0) -> None:
    """Waits for a condition that other tasks make true. Only a broken program reaches the time limit."""
    async with asyncio.timeout(limit_s):
        while not condition():  # no event reports it
            await asyncio.sleep(0.001)
