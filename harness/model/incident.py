"""Incidents: errors of the service that a process of the load generator saw."""

from dataclasses import dataclass
from enum import StrEnum


class IncidentKind(StrEnum):
    """What happened. Those in `VIOLATIONS` break the client protocol."""

    HANDSHAKE = "handshake"
    """the answer to a WebSocket handshake has status 101 but breaks RFC 6455 §4.2.2, or is not HTTP"""
    FRAMING = "framing"
    """a frame breaks RFC 6455; the client closed the connection and reconnected"""
    BINARY = "binary"
    """a message in binary frames"""
    MALFORMED = "malformed"
    """a text message that is not an event of the protocol: not JSON, or a field is missing or of the wrong type"""
    UNKNOWN_EVENT = "unknown-event"
    """an event of a type that the protocol does not have: receivers ignore it"""
    UNASKED = "unasked"
    """an error or a confirmation without a command of the client"""
    POSITION = "position"
    """a confirmation names a position that the client did not request, or the next delivery is not position + 1"""
    UNANSWERED_PING = "unanswered-ping"
    """a ping that the client did not answer, because the server does not read the answers to earlier ones"""
    FRAME_LIMIT = "frame-limit"
    """a delivery that was not compared with its post: the load worker has seen too many different ones"""
    ANSWER = "answer"
    """an answer to a post that is not as the protocol says, or does not fit the post"""
    REJECTED = "rejected"
    """a post that the service refused"""
    INDETERMINATE = "indeterminate"
    """a post of which it is not known whether it is stored"""


OUTCOMES = (IncidentKind.REJECTED, IncidentKind.INDETERMINATE)
ALLOWED = (IncidentKind.UNKNOWN_EVENT, IncidentKind.UNANSWERED_PING)
"""Counted and reported, although the protocol allows it."""
VIOLATIONS = tuple(kind for kind in IncidentKind if kind not in (*OUTCOMES, *ALLOWED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """All incidents of one kind and reason in one process. Times are ns of CLOCK_MONOTONIC of the process's host.

    ``examples`` are the first few, as sentences.
    """

    kind: IncidentKind
    reason: str
    count: int
    first_ns: int
    last_ns: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentList:
    """The content of incidents-NAME.json."""

    version: int
    incidents: tuple[Incident, ...]
