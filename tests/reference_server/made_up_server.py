"""The reference server with backplanes and write paths that exist only in the tests.

``python -m tests.reference_server.made_up_server --settings FILE``. The backplane ``relay`` sends only lines of channel
and seq through a TCP relay. The two write paths fail unexpectedly on a post with the text "crash".
"""

import asyncio
import sys
from collections.abc import Awaitable, Collection, Sequence
from typing import Any

from reference_server.__main__ import main
from reference_server.backplane.base import BackplaneKind, Outgoing, Receiver
from reference_server.backplane.registry import BACKPLANES
from reference_server.message_log.base import Log
from reference_server.protocol.client_requests import Post
from reference_server.settings_section import Section
from reference_server.write_path.base import Outcome, WritePath, WritePathContext, WritePathKind
from reference_server.write_path.db_first import DbFirst
from reference_server.write_path.registry import WRITE_PATHS


class RelaySection(Section, frozen=True, kw_only=True):
    host: str
    port: int


class Relay:
    def __init__(self, section: RelaySection) -> None:
        self._section = section
        self._channels: set[str] = set()
        self._receiver: Receiver | None = None
        self._writer: asyncio.StreamWriter

    @property
    def up(self) -> bool:
        return self._receiver is not None

    async def run(self, receiver: Receiver) -> None:
        reader, self._writer = await asyncio.open_connection(self._section.host, self._section.port)
        self._receiver = receiver
        receiver.on_state(True)
        receiver.on_subscribed(self._channels)
        async for line in reader:
            channel, seq = line.decode().split()
            receiver.on_newer(channel, int(seq))
        raise ConnectionResetError("the relay closed the connection")

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._receiver is not None:
            self._receiver.on_subscribed(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        if self._receiver is None:
            return False
        self._writer.write(b"".join(b"%s %d\n" % (channel.encode(), seq) for channel, seq, _ in messages))
        return True


class CrashingLog:
    def __init__(self, log: Log) -> None:
        self._log = log

    async def append(self, channels: Sequence[str], texts: Sequence[str], ids: Sequence[str | None]) -> Any:
        if "crash" in texts:
            raise RuntimeError("planted in the commit")
        return await self._log.append(channels, texts, ids)


class CrashingSubmit(DbFirst):
    def submit(self, post: Post, accepted_ns: int) -> Awaitable[Outcome]:  # type: ignore[override]  # protocol's type
        if post.text == "crash":
            raise RuntimeError("planted in submit")
        return super().submit(post, accepted_ns)


def crash_in_submit(context: WritePathContext) -> WritePath:
    return CrashingSubmit(
        context.log, context.publish, trace=context.trace, metrics=context.metrics, pause_ms=0.0, capacity=10
    )


def crash_in_commit(context: WritePathContext) -> WritePath:
    log: Any = CrashingLog(context.log)
    return DbFirst(log, context.publish, trace=context.trace, metrics=context.metrics, pause_ms=0.0, capacity=10)


if __name__ == "__main__":
    BACKPLANES.register(
        BackplaneKind(name="relay", section=RelaySection, broker="relay", build=lambda section, context: Relay(section))
    )
    WRITE_PATHS.register(WritePathKind(name="crash-in-submit", promise="Committed.", build=crash_in_submit))
    WRITE_PATHS.register(WritePathKind(name="crash-in-commit", promise="Committed.", build=crash_in_commit))
    sys.exit(main())
