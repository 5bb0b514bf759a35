"""What a backplane must do, what it may use of its server, and what its registry entry says.

A backplane carries messages from the server that accepted them to every server with subscribers of the channel. It is
only a hint; the message log holds the messages. A backplane may lose, repeat and reorder messages, as long as it says
when it is down. The gateway drops repetitions, restores the order and reads from the log what does not arrive.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from reference_server.backplane.sequencer import Sequencer
from reference_server.message_log.base import Log
from reference_server.metrics import Metrics
from reference_server.settings_section import Section

if TYPE_CHECKING:
    from reference_server.settings import Settings


class Outgoing(NamedTuple):
    """A committed message; ``frame`` is the complete WebSocket frame that every subscriber gets."""

    channel: str
    seq: int
    frame: bytes


class Receiver(Protocol):
    """What a backplane calls (the gateway). A backplane that carries whole messages calls ``on_message``; one that only
    announces new messages (polling, NOTIFY) calls ``on_newer``. All return at once."""

    def on_message(self, channel: str, seq: int, frame: bytes) -> None:
        """A message arrived."""

    def on_newer(self, channel: str, seq: int) -> None:
        """The log holds messages of this channel up to ``seq``; the receiver reads those that it does not have yet."""

    def on_subscribed(self, channels: Collection[str]) -> None:
        """From now on messages of these channels arrive. A backplane calls this after every (re)connection for all
        wanted channels: the receiver then reads from the log what was published before."""

    def on_state(self, up: bool) -> None:
        """The connection for receiving is up or down. While it is down no message arrives."""


class Backplane(Protocol):
    @property
    def up(self) -> bool:
        """Whether messages can be sent and received, by the present state of the connection."""

    async def run(self, receiver: Receiver) -> None:
        """Connect, and stay connected, until cancelled. A broker that does not answer is a state, not an error."""

    def subscribe(self, channels: Collection[str]) -> None:
        """Subscribe to these channels, now and after every reconnection; ``on_subscribed`` follows."""

    def unsubscribe(self, channels: Collection[str]) -> None: ...

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        """Hand over without waiting; False if the messages could not be taken. Never raises, never queues without
        bound: the log has all messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackplaneContext:
    """What a backplane may use of its server."""

    settings: "Settings"
    log: Log
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class BackplaneKind:
    """A member of the registry."""

    name: str
    section: type[Section] | None
    """the type of its own settings; None if it has none"""
    broker: str | None
    """the kind of broker it needs; None if it needs none"""
    build: Callable[[Any, BackplaneContext], Backplane]
    """gets the decoded section (an empty ``Section`` where ``section`` is None)"""
    delay_s: Callable[[Any], float] = lambda _: 0.0
    """by its section: how long a message that is not lost may take; only after that time it counts as missing"""
    sequencer: Callable[[Any], Sequencer] | None = None
    """numbers from its broker, for a write path that needs them; gets the section. None if the broker gives none"""
