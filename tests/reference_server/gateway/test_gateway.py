import asyncio

import pytest

from reference_server.gateway import gateway as gateway_module
from reference_server.gateway.channel import Channel
from reference_server.gateway.client_connection import Connection
from reference_server.gateway.fan_out import SLOW_CONSUMER, FanOut
from reference_server.gateway.gateway import Gateway
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.metrics import Metrics
from reference_server.server_trace import Trace
from reference_server.settings import Recovery
from tests.reference_server.fakes import FakeBackplane, FakeSocket, fake_connection, frame, until

LIMIT = 1_000


class Rig:
    """A gateway with channel "c" open at position 0, its backplane up."""

    def __init__(self, *, recovery: Recovery = "automatic") -> None:
        self.metrics = Metrics()
        self.trace = Trace(1_000)
        self.backplane = FakeBackplane()
        self.fan_out = FanOut(waiting_limit_bytes=LIMIT, trace=self.trace, metrics=self.metrics)
        self.subscriptions = Subscriptions(self.backplane)
        self.gateway = Gateway(
            self.subscriptions, self.fan_out, recovery=recovery, trace=self.trace, metrics=self.metrics
        )
        self.gateway.on_state(True)
        self.channel = self.subscriptions.open("c")
        self.gateway.start_channel("c", 0)

    def join(self, position: int = 0) -> tuple[Connection, FakeSocket]:
        connection, socket = fake_connection()
        self.subscriptions.open("c")
        self.subscriptions.attach(connection, self.channel, position)
        return connection, socket

    def arrive(self, *seqs: int) -> None:
        for seq in seqs:
            self.gateway.on_message("c", seq, frame(seq))


async def turns() -> None:
    """Let everything happen that is due now."""
    for _ in range(5):
        await asyncio.sleep(0)


def text(socket: FakeSocket) -> bytes:
    return b"".join(socket.transport.written)


def test_messages_of_one_turn_share_a_write_and_everyone_gets_the_same_bytes() -> None:
    """Pending messages of a channel are joined once; the very same object is written to every member."""

    async def main() -> None:
        rig = Rig()
        (_, one), (_, two) = rig.join(), rig.join()
        rig.arrive(1, 2, 3)
        await turns()
        assert one.transport.written == [b"<1><2><3>"]
        assert one.transport.written[0] is two.transport.written[0]
        assert rig.metrics.deliveries == 6

    asyncio.run(main())


def test_a_hole_is_asked_for_after_a_grace_and_delivered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes early waits; when the missing does not come by itself, the channel is put on the list to be filled."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig()
        _, socket = rig.join()
        rig.arrive(1, 3)
        await turns()
        assert text(socket) == b"<1>"
        assert not rig.gateway.work.behind
        await until(lambda: rig.gateway.work.behind == {"c"})
        rig.gateway.recover("c", [(2, frame(2)), (3, frame(3))])
        await turns()
        assert text(socket) == b"<1><2><3>"
        assert (rig.metrics.holes, rig.metrics.recovered) == (1, 1)

    asyncio.run(main())


def test_publications_that_cross_need_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers' messages may arrive in the wrong order: within the grace that is no hole."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig()
        _, socket = rig.join()
        rig.arrive(2, 1)
        await until(lambda: rig.channel.grace is None)
        assert text(socket) == b"<1><2>"
        assert not rig.gateway.work.behind

    asyncio.run(main())


def test_while_the_backplane_is_down_nothing_is_waited_for() -> None:
    """What the database has and the backplane cannot bring is asked for at once."""

    async def main() -> None:
        rig = Rig()
        rig.gateway.on_state(False)
        rig.gateway.expect("c", 5)
        await turns()
        assert rig.gateway.work.behind == {"c"}

    asyncio.run(main())


def test_without_recovery_a_lost_message_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the database is not asked, the loss shows at the client, and the rest is delivered."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig(recovery="off")
        _, socket = rig.join()
        rig.arrive(1, 3)
        await until(lambda: text(socket) == b"<1><3>")
        assert rig.metrics.skipped == 1
        assert not rig.gateway.work.behind
        assert not rig.gateway.work.unchecked

    asyncio.run(main())


def test_a_new_member_gets_exactly_what_follows_the_position_it_was_told() -> None:
    """It joins at what was flushed: what is pending at that moment is news to it, what was flushed is not."""

    async def main() -> None:
        rig = Rig()
        rig.arrive(1)
        await turns()
        rig.arrive(2)
        _, socket = rig.join(rig.channel.flushed)
        await turns()
        assert text(socket) == b"<2>"

    asyncio.run(main())


def test_a_client_that_knows_more_than_this_server_hears_nothing_twice() -> None:
    """A client may come from a server that was faster: it gets only what is new to it, until this one has caught up."""

    async def main() -> None:
        rig = Rig()
        _, member = rig.join()
        _, ahead = rig.join(2)
        rig.arrive(1)
        await turns()
        rig.arrive(2, 3)
        await turns()
        rig.arrive(4)
        await turns()
        assert text(member) == b"<1><2><3><4>"
        assert text(ahead) == b"<3><4>"
        assert not rig.channel.ahead
        assert [row[-2] for row in rig.trace.delivered.rows(0, 9)] == [1, 1, 2, 2]

    asyncio.run(main())


def test_a_slow_reader_is_shut_and_nobody_else_notices() -> None:
    """Over the limit a connection is closed with 4008; the others get the same flush."""

    async def main() -> None:
        rig = Rig()
        slow, slow_socket = rig.join()
        _, quick = rig.join()
        slow_socket.transport.waiting = LIMIT + 1
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
    """In a pause messages gather, and leave together at its end."""

    async def main() -> None:
        rig = Rig()
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
    """A server that cannot deliver any more must not look alive: what went wrong comes out of ``run``."""

    async def main() -> None:
        rig = Rig()
        connection, _ = rig.join()

        def fail(_: bytes) -> None:
            raise RuntimeError("planted")

        connection.write = fail
        rig.arrive(1)
        with pytest.raises(RuntimeError, match="planted"):
            await rig.fan_out.run()

    asyncio.run(main())


def test_leaving_ends_everything() -> None:
    """Nothing is written after ``leave``, and after two sweeps without interest the channel is unsubscribed."""

    async def main() -> None:
        rig = Rig()
        connection, socket = rig.join()
        rig.subscriptions.release(rig.channel)  # the one that the rig opened with
        rig.arrive(1)
        rig.subscriptions.leave(connection)
        await turns()
        assert text(socket) == b""
        rig.gateway.close_idle()
        assert not rig.backplane.unsubscribed
        rig.gateway.close_idle()
        assert rig.backplane.unsubscribed == ["c"]
        rig.arrive(2)
        assert rig.gateway.channels == {}

    asyncio.run(main())


def test_every_resubscription_is_checked_against_the_database() -> None:
    """What was published while the backplane was not listening is looked for as soon as it listens again."""

    async def main() -> None:
        rig = Rig()
        rig.gateway.on_subscribed(["c"])
        assert rig.channel.subscribed.is_set()
        assert rig.gateway.work.unchecked == {"c"}
        assert rig.gateway.work.check_wanted.is_set()

    asyncio.run(main())


def test_one_row_of_trace_per_message() -> None:
    """However many sockets: channel, seq, received ≤ written, sockets, source."""

    async def main() -> None:
        rig = Rig()
        rig.arrive(1)
        await turns()  # nobody there: nothing was written to a socket
        rig.join(1)
        rig.join(1)
        rig.arrive(2)
        rig.gateway.recover("c", [(3, frame(3))])
        await turns()
        rows = rig.trace.delivered.rows(0, 9)
        assert [(row[0], row[1], row[4], row[5]) for row in rows] == [("c", 2, 2, "live"), ("c", 3, 2, "recovered")]
        assert all(row[2] <= row[3] for row in rows)

    asyncio.run(main())


def test_a_channel_is_named_by_what_it_waits_for() -> None:
    """A channel without a position is not behind: it has promised nothing yet."""
    channel = Channel("c")
    channel.offer(7, b"", 0)
    assert not channel.behind


def test_with_recovery_by_hand_what_comes_after_a_hole_waits() -> None:
    """Nothing is asked of the database and nothing skipped: order stands until somebody asks for a rebroadcast."""

    async def main() -> None:
        rig = Rig(recovery="manual")
        _, socket = rig.join()
        rig.arrive(1, 3, 4)
        await asyncio.sleep(0.06)
        assert socket.seqs == [1]
        assert not rig.gateway.work.behind
        rig.gateway.recover("c", [(2, frame(2))])
        await turns()
        assert socket.seqs == [1, 2, 3, 4]

    asyncio.run(main())


def test_the_trace_tells_when_the_way_in_was_lost_and_when_all_channels_were_back() -> None:
    """``subscribed`` comes with the last channel's confirmation, not with the first's; at once where there is none."""

    async def main() -> None:
        rig = Rig()
        rig.subscriptions.open("d")
        rig.gateway.on_state(False)
        rig.gateway.on_state(True)
        rig.gateway.on_subscribed(["c"])
        assert [state for state, _ in rig.trace.backplane.rows(0, 10)] == ["up", "subscribed", "down", "up"]
        rig.gateway.on_subscribed(["d"])
        states, times = zip(*rig.trace.backplane.rows(0, 10), strict=True)
        assert states == ("up", "subscribed", "down", "up", "subscribed")
        assert list(times) == sorted(times)

    asyncio.run(main())


@pytest.mark.parametrize("recovery", ["automatic", "manual", "off"])
def test_an_announced_message_is_asked_for_at_once(recovery: Recovery) -> None:
    """Without a grace and in every setting of the recovery: reading is how such a backplane delivers. The trace says live,
    and nothing counts as missing or recovered."""

    async def main() -> None:
        rig = Rig(recovery=recovery)
        _, socket = rig.join()
        rig.gateway.on_newer("c", 2)
        assert rig.gateway.work.behind == {"c"}
        assert rig.gateway.work.fill_wanted.is_set()
        rig.gateway.recover("c", [(1, frame(1)), (2, frame(2))])
        await turns()
        assert text(socket) == b"<1><2>"
        assert [row[-1] for row in rig.trace.delivered.rows(0, 9)] == ["live", "live"]
        assert (rig.metrics.announced, rig.metrics.holes, rig.metrics.recovered) == (1, 0, 0)

    asyncio.run(main())


def test_an_old_announcement_costs_nothing() -> None:
    """What was taken already, and what was announced already, is not asked for."""

    async def main() -> None:
        rig = Rig()
        rig.arrive(1, 2, 3)
        for seq in (3, 1, 0):
            rig.gateway.on_newer("c", seq)
        assert not rig.gateway.work.behind
        rig.gateway.on_newer("c", 4)
        rig.gateway.work.behind.clear()  # as recovery does
        rig.gateway.on_newer("c", 4)
        assert not rig.gateway.work.behind
        assert rig.channel.grace is None

    asyncio.run(main())


def test_an_announcement_of_a_channel_without_subscribers_is_ignored() -> None:
    """The channel is not opened."""

    async def main() -> None:
        rig = Rig()
        rig.gateway.on_newer("other", 5)
        assert not rig.gateway.work.behind
        assert set(rig.gateway.channels) == {"c"}

    asyncio.run(main())


@pytest.mark.parametrize("recovery", ["automatic", "manual", "off"])
def test_an_announced_message_that_the_log_does_not_show_yet_is_asked_for_again(
    recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a grace, so that the log is not asked without a pause."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig(recovery=recovery)
        rig.gateway.on_newer("c", 1)
        rig.gateway.work.behind.clear()
        rig.gateway.recover("c", [])
        assert not rig.gateway.work.behind
        await until(lambda: rig.gateway.work.behind == {"c"})

    asyncio.run(main())
