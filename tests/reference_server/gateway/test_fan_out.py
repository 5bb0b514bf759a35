"""The fan-out: backlogs with more messages than one flush writes, slow consumers, pauses and traces."""

import asyncio

import pytest

from reference_server.gateway import fan_out as fan_out_module
from reference_server.gateway.channel import Channel
from reference_server.gateway.client_connection import Connection
from reference_server.gateway.fan_out import CHUNK_BYTES, SLOW_CONSUMER, FanOut
from reference_server.gateway.pacing import Pacing
from reference_server.metrics import Metrics
from reference_server.server_trace import Trace
from tests.reference_server.fakes import FakeSocket, fake_connection, frame, until
from tests.reference_server.gateway.rig import LIMIT as GATEWAY_LIMIT
from tests.reference_server.gateway.rig import Rig as GatewayRig
from tests.reference_server.gateway.rig import text, turns

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
    """Each part has as many whole messages as CHUNK_BYTES allows. The parts are in order."""

    async def main() -> None:
        rig = Rig()
        _, socket = rig.join()
        rig.recover(5, CHUNK_BYTES // 2)
        await until(lambda: rig.channel.flushed == 5)
        assert [len(data) // (CHUNK_BYTES // 2) for data in socket.transport.written] == [2, 2, 1]

    asyncio.run(main())


def test_the_rest_of_a_backlog_waits_for_its_subscribers() -> None:
    """The server can write faster than a client reads. The rest waits until all clients have room, so no client is
    closed for it."""

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


def test_a_backlog_waits_a_limited_time_for_a_client_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without progress the backlog continues. Then more bytes than the limit wait for that client."""
    monkeypatch.setattr(fan_out_module, "NO_PROGRESS_LIMIT_S", 0.02)

    async def main() -> None:
        rig = Rig()
        _, quick = rig.join()
        rig.join(waiting_bytes=LIMIT)
        rig.recover(3)
        await until(lambda: len(quick.transport.written) == 3)

    asyncio.run(main())


def test_a_backlog_waits_a_limited_time_for_a_client_that_takes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress extends the wait only up to a limit. A client that reads a byte at a time must not stop the others."""
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


def test_messages_of_one_turn_share_a_write_and_all_members_get_the_same_bytes() -> None:
    """Pending messages of a channel are joined once. The same object is written to every member."""

    async def main() -> None:
        rig = GatewayRig()
        (_, one), (_, two) = rig.join(), rig.join()
        rig.arrive(1, 2, 3)
        await turns()
        assert one.transport.written == [b"<1><2><3>"]
        assert one.transport.written[0] is two.transport.written[0]
        assert rig.metrics.deliveries == 6

    asyncio.run(main())


def test_a_slow_consumer_is_closed_and_the_others_are_not_affected() -> None:
    """A connection over the limit is closed with code 4008. The others get the same flush."""

    async def main() -> None:
        rig = GatewayRig()
        slow, slow_socket = rig.join()
        _, quick = rig.join()
        slow_socket.transport.waiting = GATEWAY_LIMIT + 1
        rig.arrive(1)
        await turns()
        assert slow_socket.closed_with is not None
        assert slow_socket.closed_with[0] == SLOW_CONSUMER
        rig.subscriptions.leave(slow)
        rig.arrive(2)
        await turns()
        assert text(slow_socket) == b"<1>"
        assert text(quick) == b"<1><2>"
        assert rig.metrics.slow_consumers == 1

    asyncio.run(main())


def test_busy_flushes_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages collect during a pause and are written together at its end."""

    async def main() -> None:
        rig = GatewayRig()
        rig.fan_out._pacing = Pacing()
        _, socket = rig.join()
        monkeypatch.setattr("reference_server.gateway.pacing.QUIET_COST_S", 0.0)
        monkeypatch.setattr("reference_server.gateway.pacing.PAUSE_PER_COST", 1_000.0)
        rig.arrive(1)
        await turns()
        rig.arrive(2)
        await turns()
        rig.arrive(3)
        assert text(socket) == b"<1>"
        await until(lambda: text(socket) == b"<1><2><3>")
        assert len(socket.transport.written) == 2

    asyncio.run(main())


def test_a_flush_that_fails_ends_the_server() -> None:
    """A server that cannot deliver must not look alive: ``run`` raises the error."""

    async def main() -> None:
        rig = GatewayRig()
        connection, _ = rig.join()

        def fail(_: bytes) -> None:
            raise RuntimeError("planted")

        connection.write = fail
        rig.arrive(1)
        with pytest.raises(RuntimeError, match="planted"):
            await rig.fan_out.run()

    asyncio.run(main())


def test_one_row_of_trace_per_message() -> None:
    """One row stands for all sockets: channel, seq, received ≤ written, sockets, source."""

    async def main() -> None:
        rig = GatewayRig()
        rig.arrive(1)
        await turns()  # without a subscriber nothing is written to a socket
        rig.join(1)
        rig.join(1)
        rig.arrive(2)
        rig.gateway.recover("c", [(3, frame(3))])
        await turns()
        rows = rig.trace.delivered.rows(0, 9)
        assert [(row[0], row[1], row[4], row[5]) for row in rows] == [("c", 2, 2, "live"), ("c", 3, 2, "recovered")]
        assert all(row[2] <= row[3] for row in rows)

    asyncio.run(main())
