"""Puts the messages from the backplane and from recovery in order, and passes them on to the sockets. Every method
returns at once, without waiting. Reads of the message log become ``work`` for recovery.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping

from reference_server.gateway.channel import Arrival, Channel
from reference_server.gateway.fan_out import FanOut
from reference_server.gateway.recovery_work import RecoveryWork
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.metrics import Metrics
from reference_server.server_trace import LIVE, RECOVERED, Trace
from reference_server.settings import Recovery

GRACE_S = 0.03
"""How long a missing message may still be on its way: publications of two servers may cross, or follow their COMMIT
late."""


class Gateway:
    """Implements ``backplane.base.Receiver``.

    Each subscription gets every message after the position it named, in order, each once. The gateway writes messages
    in order, and each message once, whatever the backplane does. With ``recovery`` automatic, it reads missing messages
    from the log after a grace period. With manual it waits for them until a rebroadcast is requested. With off it skips
    them after the grace period. ``on_newer`` is not recovery: it reads from the log with every setting.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        fan_out: FanOut,
        *,
        recovery: Recovery,
        trace: Trace,
        metrics: Metrics,
        backplane_delay_s: float = 0.0,
    ) -> None:
        self._subscriptions = subscriptions
        self._fan_out = fan_out
        self._recovery = recovery
        self._trace = trace
        self._metrics = metrics
        self._patience_s = GRACE_S + backplane_delay_s
        self._unconfirmed: set[str] = set()
        """channels that the backplane has not confirmed since it came up"""
        self.channels: Mapping[str, Channel] = subscriptions.channels
        self.backplane_up = False
        self.work = RecoveryWork()
        self.work.follow()  # the backplane is not up yet

    # Called by the backplane.

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

    def on_newer(self, channel: str, seq: int) -> None:
        self._metrics.announced += 1
        state = self.channels.get(channel)
        if state is not None and state.announce(seq) and state.behind:
            self.work.fill((channel,))

    def on_subscribed(self, channels: Collection[str]) -> None:
        for name in channels:
            if channel := self.channels.get(name):
                channel.subscribed.set()
        self._confirm(channels)
        if self._recovery == "automatic":
            self.work.check(channels)

    def on_state(self, up: bool) -> None:
        self.backplane_up = up
        self._trace.backplane.add("up" if up else "down")
        self._unconfirmed = set(self.channels) if up else set()
        if up and not self.channels:
            self._trace.backplane.add("subscribed")
        if not up:
            self.work.follow()

    def _confirm(self, channels: Collection[str]) -> None:
        """The backplane need not confirm these any longer. After the last of them the server is subscribed to
        everything."""
        if self._unconfirmed:
            self._unconfirmed.difference_update(channels)
            if not self._unconfirmed:
                self._trace.backplane.add("subscribed")

    # Called by recovery.

    def start_channel(self, name: str, newest: int) -> None:
        """``newest`` is the newest committed seq of this channel: a channel without a position starts there."""
        if channel := self.channels.get(name):
            channel.start(newest)
            self._fan_out.add(channel)
            if channel.announced_more:
                self.work.fill((name,))
            else:
                self._expect_missing(channel)

    def expect(self, name: str, newest: int) -> None:
        """The log holds the messages of this channel up to ``newest``."""
        if channel := self.channels.get(name):
            channel.expect(newest)
            self._expect_missing(channel)

    def recover(self, name: str, rows: Iterable[tuple[int, bytes]]) -> int:
        """Take the messages after the channel's position, in order, without a gap. Returns how many were new."""
        channel = self.channels.get(name)
        if channel is None:
            return 0
        source = LIVE if channel.announced_more else RECOVERED
        news = channel.recover(rows, time.monotonic_ns(), source)
        if source == RECOVERED:
            self._metrics.recovered += news
        self._fan_out.add(channel)
        if news and channel.behind:
            self.work.fill((name,))
        else:
            # The log may not have it yet, if messages are stored after they are published.
            self._expect_missing(channel, 0.0 if news else GRACE_S)
        return news

    def close_idle(self) -> None:
        """Close the channels that no connection has wanted for a while."""
        self._confirm(self._subscriptions.close_idle())

    # Missing messages.

    def _expect_missing(self, channel: Channel, at_least_s: float = 0.0) -> None:
        """If a message is missing, give it a grace period to arrive by itself."""
        if channel.behind and channel.grace is None:
            self._metrics.holes += 1
            self._start_grace(channel, at_least_s)

    def _start_grace(self, channel: Channel, at_least_s: float = 0.0) -> None:
        grace_s = max(at_least_s, self._grace_s())
        channel.grace = asyncio.get_running_loop().call_later(grace_s, self._end_grace, channel)

    def _grace_s(self) -> float:
        return self._patience_s if self.backplane_up else 0.0

    def _end_grace(self, channel: Channel) -> None:
        channel.grace = None
        if not channel.behind:
            return
        if self._recovery == "automatic" or channel.announced_more:
            self.work.fill((channel.name,))
        elif self._recovery == "off":
            self._metrics.skipped += channel.skip(time.monotonic_ns() - int(self._grace_s() * 1e9))
            self._fan_out.add(channel)
            if channel.held:  # a hole that appeared later, and has the rest of its grace period
                self._start_grace(channel)
