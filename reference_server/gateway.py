"""Who is subscribed to what, and what the backplane said: the hub between backplane, database and sockets.

Everything here happens at once, without waiting. What needs the database is put on two lists, ``unchecked`` and ``behind``,
that catch_up works through; ``follow_wanted`` wakes tail.
"""

import asyncio
import time
from collections.abc import Collection, Iterable

from reference_server.backplane.base import Backplane
from reference_server.channel import Arrival, Channel
from reference_server.connection import Connection
from reference_server.fan_out import FanOut
from reference_server.metrics import Metrics
from reference_server.settings import Recovery
from reference_server.trace import Trace

GRACE_S = 0.03
"""How long a missing message may still be on its way: two servers' publications may cross, or trail their COMMITs."""


class Gateway:
    """Implements backplane.base.Receiver.

    For each subscription it has every message after the position it named written, in order, each once. It never lets a
    message out before those before it, nor twice, whatever the backplane does. With ``recovery`` manual it waits for the
    missing ones until somebody asks for them; only with it off does it give up, after a grace, on those that do not come.
    """

    def __init__(
        self, backplane: Backplane, fan_out: FanOut, *, recovery: Recovery, trace: Trace, metrics: Metrics
    ) -> None:
        self._backplane = backplane
        self._fan_out = fan_out
        self._recovery = recovery
        self._trace = trace
        self._metrics = metrics
        self._unconfirmed: set[str] = set()
        """channels that the backplane has not confirmed since it came up"""
        self.channels: dict[str, Channel] = {}
        self.connections: set[Connection] = set()
        self.backplane_up = False
        self.unchecked: set[str] = set()
        """channels whose position is to be compared with the database"""
        self.check_wanted = asyncio.Event()
        self.behind: set[str] = set()
        """channels that miss messages which the database has"""
        self.fill_wanted = asyncio.Event()
        self.follow_wanted = asyncio.Event()
        """the backplane does not bring what is committed"""
        self.follow_wanted.set()  # it is not up yet

    # What the backplane tells.

    def on_message(self, channel: str, seq: int, frame: bytes) -> None:
        self._metrics.received += 1
        state = self.channels.get(channel)
        if state is None:
            return  # unsubscribed a moment ago
        arrival = state.offer(seq, frame, time.monotonic_ns())
        if arrival is Arrival.TAKEN:
            self._fan_out.add(state)
        elif arrival is Arrival.REPEATED:
            self._metrics.duplicates += 1
        else:
            self._metrics.shed += arrival is Arrival.SHED
            self._expect_missing(state)

    def on_subscribed(self, channels: Collection[str]) -> None:
        for name in channels:
            if channel := self.channels.get(name):
                channel.subscribed.set()
        self._confirm(channels)
        if self._recovery == "automatic":
            self.unchecked.update(channels)
            self.check_wanted.set()

    def on_state(self, up: bool) -> None:
        self.backplane_up = up
        self._trace.backplane.add("up" if up else "down")
        self._unconfirmed = set(self.channels) if up else set()
        if up and not self.channels:
            self._trace.backplane.add("subscribed")
        if not up:
            self.follow_wanted.set()

    def _confirm(self, channels: Collection[str]) -> None:
        """These need not be waited for any longer; with the last of them we are subscribed to everything."""
        if self._unconfirmed:
            self._unconfirmed.difference_update(channels)
            if not self._unconfirmed:
                self._trace.backplane.add("subscribed")

    def check_all(self) -> None:
        """Any channel may be behind the database."""
        self.unchecked.update(self.channels)
        self.check_wanted.set()

    # What the database tells.

    def settle(self, name: str, newest: int) -> None:
        """``newest`` is the newest committed seq of this channel."""
        if channel := self.channels.get(name):
            channel.settle(newest)
            self._fan_out.add(channel)
            self._expect_missing(channel)

    def recover(self, name: str, rows: Iterable[tuple[int, bytes]]) -> int:
        """The messages after the channel's position, in order, without a gap. Returns how many were news."""
        channel = self.channels.get(name)
        if channel is None:
            return 0
        news = channel.recover(rows, time.monotonic_ns())
        self._metrics.recovered += news
        self._fan_out.add(channel)
        if news and channel.behind:
            self._want_fill(channel)
        else:
            self._expect_missing(channel)
        return news

    # What the clients want.

    def open(self, name: str) -> Channel:
        """The channel, wanted by one more. Each call is matched by ``release``, or by ``attach`` and ``detach``."""
        channel = self.channels.get(name)
        if channel is None:
            channel = self.channels[name] = Channel(name)
            self._backplane.subscribe((name,))
        channel.interest += 1
        channel.idle = False
        return channel

    def release(self, channel: Channel) -> None:
        channel.interest -= 1

    def attach(self, connection: Connection, channel: Channel, position: int) -> None:
        """From now on the connection gets everything after ``position``, which is not before ``channel.flushed``."""
        assert position >= channel.flushed
        connection.channels[channel.name] = channel
        if position == channel.flushed:
            channel.members.add(connection)
        else:
            channel.ahead[connection] = position

    def detach(self, connection: Connection, name: str) -> None:
        if channel := connection.channels.pop(name, None):
            channel.members.discard(connection)
            channel.ahead.pop(connection, None)
            channel.interest -= 1

    def leave(self, connection: Connection) -> None:
        """Nothing more is written to this connection."""
        connection.closed = True
        self.connections.discard(connection)
        for name in list(connection.channels):
            self.detach(connection, name)

    def close_idle(self) -> None:
        """Forget the channels that nobody wanted at this call and the last: who comes right back finds them open."""
        gone = [name for name, channel in self.channels.items() if channel.idle and not channel.interest]
        for name in gone:
            channel = self.channels.pop(name)
            if channel.grace is not None:
                channel.grace.cancel()
        if gone:
            self._confirm(gone)
            self._backplane.unsubscribe(gone)
        for channel in self.channels.values():
            channel.idle = not channel.interest

    # Missing messages.

    def _expect_missing(self, channel: Channel) -> None:
        """A message is missing: give it a grace to arrive by itself."""
        if channel.behind and channel.grace is None:
            self._metrics.holes += 1
            grace_s = GRACE_S if self.backplane_up else 0.0
            channel.grace = asyncio.get_running_loop().call_later(grace_s, self._miss, channel)

    def _miss(self, channel: Channel) -> None:
        channel.grace = None
        if not channel.behind:
            return
        if self._recovery == "automatic":
            self._want_fill(channel)
        elif self._recovery == "off":
            self._metrics.skipped += channel.skip()
            self._fan_out.add(channel)

    def _want_fill(self, channel: Channel) -> None:
        self.behind.add(channel.name)
        self.fill_wanted.set()
