"""Which connection is subscribed to which channel, and which channels the server wants from the backplane."""

from reference_server.backplane.base import Backplane
from reference_server.gateway.channel import Channel
from reference_server.gateway.client_connection import Connection


class Subscriptions:
    """The open channels and connections of this server. A channel is open while a connection is interested in it."""

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self.channels: dict[str, Channel] = {}
        self.connections: set[Connection] = set()

    def open(self, name: str) -> Channel:
        """The channel, with one more interested connection. Each call needs one ``release``, or ``attach`` and
        ``detach``."""
        channel = self.channels.get(name)
        if channel is None:
            channel = self.channels[name] = Channel(name)
            self._backplane.subscribe((name,))
        channel.interest += 1
        channel.idle = False
        return channel

    def expected(self, name: str) -> int:
        """The highest seq of the channel that is known here; 0 if the channel is not open."""
        channel = self.channels.get(name)
        return 0 if channel is None else channel.expected

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
        """Stop writing to this connection."""
        connection.closed = True
        self.connections.discard(connection)
        for name in list(connection.channels):
            self.detach(connection, name)

    def close_idle(self) -> list[str]:
        """Close the channels that no connection used at this call and at the last one; return their names. So a client
        that reconnects soon finds its channel open.
        """
        gone = [name for name, channel in self.channels.items() if channel.idle and not channel.interest]
        for name in gone:
            channel = self.channels.pop(name)
            if channel.grace is not None:
                channel.grace.cancel()
        if gone:
            self._backplane.unsubscribe(gone)
        for channel in self.channels.values():
            channel.idle = not channel.interest
        return gone
