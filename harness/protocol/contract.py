"""What the harness needs of a client protocol, and the values that an adapter returns.

An adapter does no I/O: it makes bytes and requests, and it parses what came back. Clients hold one WebSocket each;
posts, history, health, rebroadcast and traces are HTTP/1.1 requests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec

from harness.model.clock import KernelIdentity
from harness.model.cluster import ServerAddress
from harness.model.incident import IncidentKind


class BadAnswer(Exception):
    """A server's answer breaks the protocol. The message names what was expected and what was found."""


# Frames that a client receives.


class Delivery(msgspec.Struct, gc=False):
    """One message for one client. ``text`` is what was posted, character by character."""

    channel: str
    seq: int
    text: str


class Confirmation(msgspec.Struct, gc=False):
    """The client is subscribed. ``seq`` is its position: the next delivery has a greater one."""

    channel: str
    seq: int


class Refusal(msgspec.Struct, gc=False):
    """The server refused a command; ``reason`` is the error code with its explanation."""

    reason: str


class Welcome(msgspec.Struct, gc=False):
    """The answer to `ClientProtocol.opening`: the server accepts a subscription now."""


class Other(msgspec.Struct, gc=False):
    """Any other frame that is allowed. ``reply`` is sent back at once if it is not empty (the protocol's own ping)."""

    reply: bytes = b""


class Violation(msgspec.Struct, gc=False):
    """A frame that the protocol does not allow. ``reason`` is the same for all frames with the same cause."""

    kind: IncidentKind
    reason: str


Frame = Delivery | Confirmation | Refusal | Welcome | Other | Violation

# HTTP.


class PostAnswer(msgspec.Struct, gc=False):
    """The outcome of one post. ``outcome`` is ACKNOWLEDGED, REJECTED or INDETERMINATE of `harness.recording.format`.
    ``seq`` is set for an acknowledged message only; ``error`` is the reason for the others: the server's code, or a
    description of an answer that is not of the protocol. ``flaw`` says how the answer breaks the protocol or does not
    fit the post; it is empty if it does not."""

    outcome: int
    seq: int = 0
    error: str = ""
    flaw: str = ""


PostWriter = Callable[[str, str, str], bytes]
"""(channel, text, client message id) to the bytes of one whole HTTP/1.1 request. Called once for each post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request without a body. ``path`` begins with a slash."""

    path: str
    method: str = "GET"
    parameters: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One message of a server's history."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some of the messages of one channel, in order of seq. ``last_seq`` is the newest that the channel has."""

    messages: Sequence[Stored]
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """``channels`` were compared; ``messages`` were missing and are delivered."""

    channels: int
    messages: int


class TracePart(StrEnum):
    """Parts of a server's trace, and the fields of a row of each; times are nanoseconds of the server's
    CLOCK_MONOTONIC."""

    ACCEPTED = "accepted"
    """channel name, seq, accepted, committed, published (0: never)"""
    DELIVERED = "delivered"
    """channel name, seq, received, written, sockets, whether it came from the database"""
    BACKPLANE = "backplane"
    """DOWN, UP or SUBSCRIBED of `harness.recording.format`, time"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage:
    """Some rows of one part. The part has ``total`` rows; the server had no room for ``dropped`` more. ``received``:
    how many messages the backplane has brought to this server so far, with or without subscribers; None if the server
    does not report it."""

    total: int
    dropped: int
    rows: list[tuple[str | int, ...]]
    received: int | None = None


class ClientProtocol(Protocol):
    """One client protocol. Every ``parse_…`` of a request raises BadAnswer for an answer that breaks the protocol.
    `history`, `rebroadcast` and `trace` return None if the protocol has no such request.
    """

    def headers(self, token: str) -> dict[str, str]:
        """The headers of every request and of the WebSocket handshake."""
        ...

    # The WebSocket of a client.

    def websocket_url(self, server: ServerAddress) -> str: ...

    def opening(self) -> bytes | None:
        """The first frame of a connection; `classify` returns a Welcome for the server's answer. None if a client
        subscribes right after the handshake."""
        ...

    def subscribe(self, channel: str, since: int | None) -> bytes:
        """The frame that subscribes to ``channel``: every message after seq ``since``, or without ``since`` every
        message from now on."""
        ...

    def classify(self, payload: bytes) -> Frame:
        """The meaning of a text message, whose bytes are valid UTF-8. Never raises: a message without a meaning is a
        Violation. Called once for each distinct frame, not for each delivery."""
        ...

    # Posts.

    def post_writer(self, server: ServerAddress, token: str) -> PostWriter: ...

    def parse_post(self, status: int, body: bytes, channel: str) -> PostAnswer:
        """The meaning of the first answer to the first post of a message to ``channel``. Never raises: an answer
        without a meaning is INDETERMINATE."""
        ...

    # Questions.

    def health(self) -> Request:
        """Answered with 200 as long as the server's process answers."""
        ...

    def parse_health(self, body: bytes) -> KernelIdentity | None:
        """The kernel that the server says it runs on, from a healthy answer; None if it does not say."""
        ...

    def readiness(self) -> Request:
        """Answered with 200 while the server's database and backplane are up."""
        ...

    def history(self, channel: str, *, since: int, limit: int) -> Request | None:
        """Stored messages after seq ``since``, in order of seq, at most ``limit``."""
        ...

    def parse_history(self, status: int, body: bytes, channel: str) -> HistoryPage: ...

    def rebroadcast(self, channel: str | None) -> Request | None:
        """Asks a server to deliver the messages that its subscribers miss, in one channel or in all."""
        ...

    def parse_rebroadcast(self, status: int, body: bytes) -> Recovered: ...

    def trace(self, part: TracePart, *, offset: int, limit: int) -> Request | None: ...

    def parse_trace(self, part: TracePart, status: int, body: bytes) -> TracePage | None:
        """None if the server keeps no trace, or not this part of it."""
        ...

    def examples(self, server: ServerAddress) -> Sequence[str]:
        """Shell commands that a person can try on a running server; the variable TOKEN holds the token."""
        ...
