import asyncio

import pytest

from reference_server.gateway import gateway as gateway_module
from reference_server.gateway.channel import Channel
from reference_server.settings import Recovery
from tests.reference_server.fakes import frame, until
from tests.reference_server.gateway.rig import Rig, text, turns


def age(channel: Channel, seq: int, by_s: float) -> None:
    """Makes a held message older."""
    held = channel.held[seq]
    channel.held[seq] = held._replace(received_ns=held.received_ns - int(by_s * 1e9))


def end_grace(rig: Rig) -> None:
    """Ends the running grace timer of the channel now."""
    grace = rig.channel.grace
    assert grace is not None
    grace.cancel()
    rig.gateway._end_grace(rig.channel)


def test_a_hole_is_asked_for_after_a_grace_and_delivered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that came too early waits. If the missing message does not arrive within the grace, recovery must fill
    the hole."""
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
    """Messages of two servers may arrive in the wrong order. Within the grace that is not a hole."""
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
    """The backplane cannot deliver the message, so the log is read at once."""

    async def main() -> None:
        rig = Rig()
        rig.gateway.on_state(False)
        rig.gateway.expect("c", 5)
        await turns()
        assert rig.gateway.work.behind == {"c"}

    asyncio.run(main())


def test_without_recovery_a_lost_message_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is not read. The client sees the gap and gets the rest."""
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


def test_without_recovery_every_hole_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are several holes at once. The channel continues after each, without a later message."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig(recovery="off")
        _, socket = rig.join()
        rig.arrive(1, 3, 5, 7)
        await until(lambda: text(socket) == b"<1><3><5><7>")
        assert rig.metrics.skipped == 3
        rig.arrive(9)
        await until(lambda: text(socket) == b"<1><3><5><7><9>")

    asyncio.run(main())


def test_without_recovery_each_hole_has_a_grace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier hole was filled meanwhile. Its timer does not end the grace of a later hole."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 3600.0)

    async def main() -> None:
        rig = Rig(recovery="off")
        _, socket = rig.join()
        rig.arrive(2, 1, 4)
        end_grace(rig)
        await turns()
        assert text(socket) == b"<1><2>"
        age(rig.channel, 4, 3600.0)
        rig.arrive(6)
        end_grace(rig)
        await turns()
        assert text(socket) == b"<1><2><4>"
        assert rig.channel.grace is not None
        rig.arrive(5)
        await turns()
        assert text(socket) == b"<1><2><4><5><6>"
        rig.channel.grace.cancel()

    asyncio.run(main())


def test_without_recovery_a_hole_behind_the_last_message_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No later message has arrived yet, so no timer runs."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig(recovery="off")
        _, socket = rig.join()
        rig.gateway.expect("c", 3)
        await until(lambda: rig.channel.grace is None)
        rig.arrive(4)
        await until(lambda: text(socket) == b"<4>")

    asyncio.run(main())


def test_a_new_member_gets_exactly_what_follows_the_position_it_was_told() -> None:
    """The member joins at the flushed position. Pending messages are new to it, and flushed messages are not."""

    async def main() -> None:
        rig = Rig()
        rig.arrive(1)
        await turns()
        rig.arrive(2)
        _, socket = rig.join(rig.channel.flushed)
        await turns()
        assert text(socket) == b"<2>"

    asyncio.run(main())


def test_a_client_ahead_of_this_server_gets_nothing_twice() -> None:
    """The client may come from a faster server. Until this server has caught up, the client gets only messages that are
    new to it."""

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


def test_leaving_ends_everything() -> None:
    """After ``leave`` nothing is written. After two sweeps without interest the channel is unsubscribed."""

    async def main() -> None:
        rig = Rig()
        connection, socket = rig.join()
        rig.subscriptions.release(rig.channel)  # the interest that the rig opened the channel with
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
    """The log is checked for messages that were published before the confirmation of the subscription."""

    async def main() -> None:
        rig = Rig()
        rig.gateway.on_subscribed(["c"])
        assert rig.channel.subscribed.is_set()
        assert rig.gateway.work.unchecked == {"c"}
        assert rig.gateway.work.check_wanted.is_set()

    asyncio.run(main())


def test_a_channel_is_named_by_what_it_waits_for() -> None:
    """A channel without a position is not behind, because no client has a confirmation yet."""
    channel = Channel("c")
    channel.offer(7, b"", 0)
    assert not channel.behind


def test_with_recovery_by_hand_what_comes_after_a_hole_waits() -> None:
    """The log is not read and nothing is skipped. Messages wait in order until a rebroadcast is requested."""

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


def test_the_trace_shows_when_the_connection_was_lost_and_when_all_channels_were_back() -> None:
    """``subscribed`` is recorded when the last channel is confirmed, not the first. Without channels it is recorded at
    once."""

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
    """There is no grace, in every setting of the recovery, because such a backplane delivers by reading. The trace says
    live, and no message counts as missing or recovered."""

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
    """A seq that was taken or announced already is not read."""

    async def main() -> None:
        rig = Rig()
        rig.arrive(1, 2, 3)
        for seq in (3, 1, 0):
            rig.gateway.on_newer("c", seq)
        assert not rig.gateway.work.behind
        rig.gateway.on_newer("c", 4)
        rig.gateway.work.behind.clear()  # like recovery
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
    """The next read comes after a grace, so the log is not read without a pause."""
    monkeypatch.setattr(gateway_module, "GRACE_S", 0.01)

    async def main() -> None:
        rig = Rig(recovery=recovery)
        rig.gateway.on_newer("c", 1)
        rig.gateway.work.behind.clear()
        rig.gateway.recover("c", [])
        assert not rig.gateway.work.behind
        await until(lambda: rig.gateway.work.behind == {"c"})

    asyncio.run(main())


def test_the_grace_covers_how_long_a_message_may_wait_in_the_backplane() -> None:
    """A message of a poll waits for the next read. Before that it is not missing and is not read from the log."""

    async def main() -> None:
        rig = Rig(backplane_delay_s=5.0)
        rig.gateway.expect("c", 1)
        grace = rig.channel.grace
        assert grace is not None
        assert grace.when() - asyncio.get_running_loop().time() > 4.5
        rig.arrive(1)
        assert not rig.channel.behind

    asyncio.run(main())
