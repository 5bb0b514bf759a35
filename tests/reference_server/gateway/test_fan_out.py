"""A backlog: more of one channel than is written at once."""

import asyncio

import pytest

from reference_server.gateway import fan_out as fan_out_module
from reference_server.gateway.channel import Channel
from reference_server.gateway.client_connection import Connection
from reference_server.gateway.fan_out import CHUNK_BYTES, FanOut
from reference_server.metrics import Metrics
from reference_server.server_trace import Trace
from tests.reference_server.fakes import FakeSocket, fake_connection, until

LIMIT = 4 * CHUNK_BYTES


class Rig:
    def __init__(self) -> None:
        self.fan_out = FanOut(waiting_limit_bytes=LIMIT, trace=Trace(1_000), metrics=Metrics())
        self.channel = Channel("c")
        self.channel.start(0)

    def join(self, *, waiting_bytes: int = 0) -> tuple[Connection, FakeSocket]:
        connection, socket = fake_connection()
        socket.transport.waiting = waiting_bytes
        self.channel.members.add(connection)
        return connection, socket

    def recover(self, count: int, size_bytes: int = CHUNK_BYTES) -> None:
        self.channel.recover([(seq, bytes(size_bytes)) for seq in range(1, count + 1)], 0)
        self.fan_out.add(self.channel)


def test_much_at_once_is_written_in_parts() -> None:
    """As large as CHUNK_BYTES allows, of whole messages, in order."""

    async def main() -> None:
        rig = Rig()
        _, socket = rig.join()
        rig.recover(5, CHUNK_BYTES // 2)
        await until(lambda: rig.channel.flushed == 5)
        assert [len(data) // (CHUNK_BYTES // 2) for data in socket.transport.written] == [2, 2, 1]

    asyncio.run(main())


def test_the_rest_of_a_backlog_waits_for_its_readers() -> None:
    """Nobody is cut off for reading more slowly than we can write: the rest is written when all have room for it."""

    async def main() -> None:
        rig = Rig()
        _, quick = rig.join()
        _, busy = rig.join(waiting_bytes=LIMIT)
        rig.recover(3)
        await asyncio.sleep(0.05)
        assert len(quick.transport.written) == len(busy.transport.written) == 1
        busy.transport.waiting = LIMIT - CHUNK_BYTES
        await until(lambda: len(quick.transport.written) == len(busy.transport.written) == 3)
        assert busy.closed_with is None

    asyncio.run(main())


def test_a_backlog_waits_only_so_long_for_who_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any progress it goes on, and more than may waits for that one."""
    monkeypatch.setattr(fan_out_module, "NO_PROGRESS_LIMIT_S", 0.02)

    async def main() -> None:
        rig = Rig()
        _, quick = rig.join()
        rig.join(waiting_bytes=LIMIT)
        rig.recover(3)
        await until(lambda: len(quick.transport.written) == 3)

    asyncio.run(main())


def test_a_backlog_waits_only_so_long_for_who_takes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress alone buys no more than the patience: a byte now and then holds nobody up for ever."""
    monkeypatch.setattr(fan_out_module, "BACKLOG_LIMIT_S", 0.05)

    async def main() -> None:
        rig = Rig()
        connection, trickle = rig.join(waiting_bytes=LIMIT)

        def a_byte_less() -> int:
            trickle.transport.waiting -= 1
            return int(trickle.transport.waiting)

        connection.waiting_bytes = a_byte_less
        rig.recover(2)
        await until(lambda: len(trickle.transport.written) == 2)
        assert trickle.transport.waiting > LIMIT - CHUNK_BYTES

    asyncio.run(main())
