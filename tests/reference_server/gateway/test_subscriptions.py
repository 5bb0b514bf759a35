import asyncio

import pytest

from reference_server.gateway.subscriptions import Subscriptions
from tests.reference_server.fakes import FakeBackplane, fake_connection


def test_a_client_that_returns_soon_finds_the_channel_open() -> None:
    """Interest between two sweeps keeps a channel subscribed."""

    async def main() -> None:
        backplane = FakeBackplane()
        subscriptions = Subscriptions(backplane)
        channel = subscriptions.open("c")
        subscriptions.release(channel)
        assert subscriptions.close_idle() == []
        assert subscriptions.open("c") is channel
        assert subscriptions.close_idle() == []
        assert subscriptions.close_idle() == []
        assert backplane.subscribed == ["c"]
        assert not backplane.unsubscribed

    asyncio.run(main())


def test_a_channel_without_interest_is_closed_at_the_second_sweep() -> None:
    """The channel is unsubscribed from the backplane, and its timer is cancelled."""

    async def main() -> None:
        backplane = FakeBackplane()
        subscriptions = Subscriptions(backplane)
        channel = subscriptions.open("c")
        channel.grace = asyncio.get_running_loop().call_later(3_600, lambda: None)
        subscriptions.release(channel)
        assert [subscriptions.close_idle(), subscriptions.close_idle()] == [[], ["c"]]
        assert backplane.unsubscribed == ["c"]
        assert subscriptions.channels == {}
        assert channel.grace.cancelled()

    asyncio.run(main())


def test_a_connection_is_a_member_or_ahead() -> None:
    """A connection at the flushed position gets every flush. Beyond it, the connection gets only new messages. A
    position before it is an error."""

    async def main() -> None:
        subscriptions = Subscriptions(FakeBackplane())
        (level, _), (ahead, _) = fake_connection(), fake_connection()
        channel = subscriptions.open("c")
        subscriptions.open("c")
        channel.start(5)
        subscriptions.attach(level, channel, 5)
        subscriptions.attach(ahead, channel, 7)
        assert (channel.members, channel.ahead) == ({level}, {ahead: 7})
        with pytest.raises(AssertionError):
            subscriptions.attach(level, channel, 4)

    asyncio.run(main())


def test_leaving_releases_every_channel() -> None:
    """The connection counts as closed. No channel keeps the connection or its interest."""

    async def main() -> None:
        subscriptions = Subscriptions(FakeBackplane())
        connection, _ = fake_connection()
        subscriptions.connections.add(connection)
        channels = [subscriptions.open(name) for name in ("a", "b")]
        for channel in channels:
            channel.start(0)
        subscriptions.attach(connection, channels[0], 0)
        subscriptions.attach(connection, channels[1], 3)
        subscriptions.leave(connection)
        assert connection.closed
        assert not subscriptions.connections
        assert [(len(c.members), len(c.ahead), c.interest) for c in channels] == [(0, 0, 0), (0, 0, 0)]
        subscriptions.detach(connection, "a")  # a second time changes nothing
        assert channels[0].interest == 0

    asyncio.run(main())
