"""Stand-ins for what lies around the gateway: they note what they are told."""

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from reference_server.backplane.base import Outgoing, Receiver
from reference_server.connection import Connection
from reference_server.link import DatabaseUnavailable


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
        """Of the frames made by `frame` that were written, in order."""
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
        raise NotImplementedError

    def subscribe(self, channels: Collection[str]) -> None:
        self.subscribed.extend(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self.unsubscribed.extend(channels)

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        raise NotImplementedError


class FakeStore:
    """Channels with as many messages as they are said to have."""

    def __init__(self) -> None:
        self.newest: dict[str, int] = {}
        self.questions: list[Sequence[object]] = []
        self.down = False
        self.reads = 0
        """of the tail"""
        self._marks: list[dict[str, int]] = []

    async def last_seqs(self, channels: Sequence[str]) -> dict[str, int]:
        self.questions.append(list(channels))
        await asyncio.sleep(0)
        if self.down:
            raise DatabaseUnavailable("down")
        return {name: self.newest[name] for name in channels if name in self.newest}

    async def news(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        newest = await self.last_seqs([name for name, _ in positions])
        return {name: newest[name] for name, position in positions if newest.get(name, 0) > position}

    async def committed_since(self, mark: int | None, limit: int) -> tuple[int, list[tuple[str, int, str]]]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.down:
            raise DatabaseUnavailable("down")
        self._marks.append(dict(self.newest))
        if mark is None:
            return len(self._marks) - 1, []
        since, newest = self._marks[mark], self._marks[-1]
        rows = [(c, seq, f"text {seq}") for c in sorted(newest) for seq in range(since.get(c, 0) + 1, newest[c] + 1)]
        return len(self._marks) - 1, rows[:limit]

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> list[list[tuple[int, str]]]:
        self.questions.append(list(asked))
        await asyncio.sleep(0)
        if self.down:
            raise DatabaseUnavailable("down")
        return [
            [(seq, f"text {seq}") for seq in range(since + 1, min(self.newest[name], since + limit) + 1)]
            for name, since in asked
        ]


def frame(seq: int) -> bytes:
    return b"<%d>" % seq


async def until(condition: Callable[[], object]) -> None:
    """Wait for what others bring about; fail after a limit that only a broken program reaches."""
    async with asyncio.timeout(10):
        while not condition():  # what is waited for has no event of its own
            await asyncio.sleep(0.001)
