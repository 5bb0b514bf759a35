"""What carries messages from the server that accepted them to all servers that have subscribers.

A backplane is a hint, PostgreSQL is the truth: it may lose, repeat and reorder messages, as long as it says when it is
down. The gateway drops repetitions, waits for the order and reads from the database whatever does not come.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol


class Outgoing(NamedTuple):
    """A committed message; ``frame`` is the complete WebSocket frame that every subscriber gets."""

    channel: str
    seq: int
    frame: bytes


class Receiver(Protocol):
    """Whom a backplane tells what happens (the gateway)."""

    def on_message(self, channel: str, seq: int, frame: bytes) -> None: ...

    def on_subscribed(self, channels: Collection[str]) -> None:
        """From now on messages of these channels arrive. Said after every (re)connection, for all channels asked for:
        what was published before must be read from the database."""

    def on_state(self, up: bool) -> None:
        """The way in is up or down. While it is down nothing arrives."""


class Backplane(Protocol):
    @property
    def up(self) -> bool:
        """Whether, as far as is known, messages get out and in."""

    async def run(self, receiver: Receiver) -> None:
        """Connect, and stay connected, until cancelled. A broker that is away is no error but a state."""

    def subscribe(self, channels: Collection[str]) -> None:
        """Want these channels, now and after every reconnection; ``on_subscribed`` follows."""

    def unsubscribe(self, channels: Collection[str]) -> None: ...

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        """Hand over without waiting; False where the messages could not be taken. Never raises, never queues without
        bound: the database has them all."""
