"""What a write path must do, what it may use of its server, and what its registry entry says.

A write path takes posts and decides when a message is committed to the message log, when it is published on the
backplane, and when the sender gets the answer.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reference_server.backplane.base import Outgoing
from reference_server.backplane.sequencer import Sequencer
from reference_server.message_log.base import Log
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Post
from reference_server.server_trace import Trace

if TYPE_CHECKING:
    from reference_server.settings import Settings

Publish = Callable[[Sequence[Outgoing]], bool]
"""``Backplane.publish``"""


class Outcome(NamedTuple):
    """The answer to the sender of a post."""

    seq: int
    duplicate: bool


class WritePath(Protocol):
    @property
    def queued(self) -> int:
        """How many posts wait."""

    def submit(self, post: Post, accepted_ns: int) -> Awaitable[Outcome]:
        """Take a post. Raises Refused, at once or when awaited. What an outcome promises is in the registry entry."""

    async def run(self) -> None:
        """Work until cancelled."""

    async def finish(self) -> None:
        """Called at the end, when no post arrives any more and ``run`` still runs: store the acknowledged messages, in
        a bounded time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePathContext:
    """What a write path may use of its server."""

    settings: "Settings"
    log: Log
    publish: Publish
    trace: Trace
    metrics: Metrics
    sequencer: Sequencer | None = None
    """numbers from the broker; not None if ``needs_sequencer`` is set"""
    expected: Callable[[str], int] = lambda channel: 0
    """the highest seq of a channel that this server knows of"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePathKind:
    """A member of the registry."""

    name: str
    promise: str
    """what an acknowledgement promises to the sender"""
    build: Callable[[WritePathContext], WritePath]
    needs_sequencer: bool = False
    """whether numbers come from the backplane's broker: the log then holds a message later, or never"""
