"""The adapter of docs/protocol.md, version 1: the only module that knows its routes, headers and frames."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from harness.model.clock import KernelIdentity
from harness.model.cluster import ServerAddress
from harness.model.incident import IncidentKind
from harness.protocol.contract import (
    BadAnswer,
    Confirmation,
    Delivery,
    Frame,
    HistoryPage,
    Other,
    PostAnswer,
    PostWriter,
    Recovered,
    Refusal,
    Request,
    Stored,
    TracePage,
    TracePart,
    Violation,
)
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED, UP

MAX_SEQ = 2**62
"""A server's seq must fit into a recording."""
GATEWAY = frozenset((408, 502, 503, 504))
"""Statuses with which a proxy answers instead of a server: such an answer need not be JSON."""
_TIMED_OUT = 408
"""never the server's own answer: the proxy may have forwarded the post"""
NOT_STORED = frozenset({"database_unavailable", "overloaded", "broker_unavailable"})
"""Errors with a status of 500 or more after which the message is certainly not stored."""

_STATES = {"down": DOWN, "up": UP, "subscribed": SUBSCRIBED}
_NO_TRACE = (400, 404)


class _Health(msgspec.Struct):
    clock: KernelIdentity | None = None


class _Message(Delivery, tag="message", tag_field="type", gc=False):
    """A delivery as it is sent."""


class _Subscribed(Confirmation, tag="subscribed", tag_field="type", gc=False):
    """A confirmation as it is sent."""


class _Unsubscribed(msgspec.Struct, tag="unsubscribed", tag_field="type", gc=False):
    channel: str


class _Gap(msgspec.Struct, tag="gap", tag_field="type", gc=False):
    channel: str
    seq: int


class _Error(msgspec.Struct, tag="error", tag_field="type", gc=False):
    error: str
    detail: str = ""


_TYPES = frozenset(("message", "subscribed", "unsubscribed", "gap", "error"))


class _Typed(msgspec.Struct, gc=False):
    type: str


class _Posted(msgspec.Struct, gc=False):
    ok: bool
    channel: str | None = None
    seq: int | None = None
    duplicate: bool | None = None
    error: str = ""


class _StoredMessage(msgspec.Struct):
    seq: int
    text: str


class _History(msgspec.Struct):
    channel: str
    messages: list[_StoredMessage]
    last_seq: int


class _Recovered(msgspec.Struct):
    channels: int
    messages: int


_Time = Annotated[int, msgspec.Meta(ge=0, lt=MAX_SEQ)]
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_Row = TypeVar("_Row")


class _Page(msgspec.Struct, Generic[_Row]):
    total: int
    dropped: int
    rows: list[_Row]
    received: _Count | None = None


_PAGES: dict[TracePart, Any] = {
    TracePart.ACCEPTED: _Page[tuple[str, _Time, _Time, _Time, _Time]],
    TracePart.DELIVERED: _Page[tuple[str, _Time, _Time, _Time, _Count, Literal["live", "recovered"]]],
    TracePart.BACKPLANE: _Page[tuple[Literal["down", "up", "subscribed"], _Time]],
}


_message = msgspec.json.Decoder(_Message).decode
_event: Callable[[bytes], _Subscribed | _Unsubscribed | _Gap | _Error] = msgspec.json.Decoder(
    _Subscribed | _Unsubscribed | _Gap | _Error
).decode
_typed = msgspec.json.Decoder(_Typed).decode
_posted = msgspec.json.Decoder(_Posted).decode
_health = msgspec.json.Decoder(_Health).decode
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""RecursionError: thousands of nested brackets."""

T = TypeVar("T")


class Chat:
    """See `harness.protocol.contract.ClientProtocol`."""

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def websocket_url(self, server: ServerAddress) -> str:
        return f"{server.websocket_base}/v1/ws"

    def opening(self) -> bytes | None:
        return None

    def subscribe(self, channel: str, since: int | None) -> bytes:
        command: dict[str, object] = {"op": "subscribe", "channel": channel}
        if since is not None:
            command["since"] = since
        return msgspec.json.encode(command)

    def classify(self, payload: bytes) -> Frame:
        try:
            return _message(payload)
        except _NOT_JSON:
            pass
        try:
            event = _event(payload)
        except _NOT_JSON:
            return _violation(payload)
        if isinstance(event, _Error):
            return Refusal(f"{event.error}: {event.detail}")
        if isinstance(event, _Gap):
            return Other()  # the deliveries show which messages did not arrive; the server's event does not decide it
        if isinstance(event, _Unsubscribed):
            return Violation(IncidentKind.UNASKED, "a channel was unsubscribed that no client unsubscribed")
        if not 0 <= event.seq < MAX_SEQ:
            return Violation(IncidentKind.MALFORMED, "the seq of a confirmation is out of range")
        return event

    def post_writer(self, server: ServerAddress, token: str) -> PostWriter:
        head = (
            f"POST {server.path}/v1/chat.postMessage HTTP/1.1\r\nHost: {server.authority}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: "
        )

        def request(channel: str, text: str, message_id: str) -> bytes:
            # Names and texts are ours: plain ASCII without anything that JSON would escape.
            body = f'{{"channel":"{channel}","text":"{text}","client_msg_id":"{message_id}"}}'
            return f"{head}{len(body)}\r\n\r\n{body}".encode()

        return request

    def parse_post(self, status: int, body: bytes, channel: str) -> PostAnswer:
        try:
            answer = _posted(body)
        except _NOT_JSON:
            found = f"an answer that is not the JSON object of the protocol ({_shown(body)})"
            return PostAnswer(INDETERMINATE, 0, found, "" if status in GATEWAY else "expected a JSON object with ok")
        if (status == 200) != answer.ok:
            return PostAnswer(INDETERMINATE, 0, answer.error, f"ok is {str(answer.ok).lower()} with status {status}")
        if answer.ok:
            seq = answer.seq or 0
            if not 0 < seq < MAX_SEQ:
                return PostAnswer(INDETERMINATE, 0, "no seq", "expected a seq of at least 1")
            return PostAnswer(ACKNOWLEDGED, seq, "", _flaw(answer, channel))
        flaw = "" if answer.error else "a failure without an error code"
        if (400 <= status < 500 and status != _TIMED_OUT) or answer.error in NOT_STORED:
            return PostAnswer(REJECTED, 0, answer.error, flaw)
        return PostAnswer(INDETERMINATE, 0, answer.error, flaw)

    def health(self) -> Request:
        return Request(path="/healthz")

    def parse_health(self, body: bytes) -> KernelIdentity | None:
        try:
            return _health(body).clock
        except _NOT_JSON:
            return None

    def readiness(self) -> Request:
        return Request(path="/readyz")

    def history(self, channel: str, *, since: int, limit: int) -> Request | None:
        return Request(
            path="/v1/conversations.history", parameters={"channel": channel, "since": since, "limit": limit}
        )

    def parse_history(self, status: int, body: bytes, channel: str) -> HistoryPage:
        found = _decoded(status, body, _History)
        if found.channel != channel:
            raise BadAnswer(f"expected the history of channel {channel}, found {found.channel[:100]!r}")
        if not all(0 < seq < MAX_SEQ for seq in (*(each.seq for each in found.messages), found.last_seq or 1)):
            raise BadAnswer(f"expected seqs of at least 1 in the history of channel {channel}")
        return HistoryPage(
            messages=[Stored(seq=each.seq, text=each.text) for each in found.messages], last_seq=found.last_seq
        )

    def rebroadcast(self, channel: str | None) -> Request | None:
        parameters: dict[str, str | int] = {} if channel is None else {"channel": channel}
        return Request(method="POST", path="/v1/rebroadcast", parameters=parameters)

    def parse_rebroadcast(self, status: int, body: bytes) -> Recovered:
        found = _decoded(status, body, _Recovered)
        return Recovered(channels=found.channels, messages=found.messages)

    def trace(self, part: TracePart, *, offset: int, limit: int) -> Request | None:
        return Request(path="/v1/trace", parameters={"part": str(part), "offset": offset, "limit": limit})

    def parse_trace(self, part: TracePart, status: int, body: bytes) -> TracePage | None:
        if status in _NO_TRACE:
            return None
        page = _decoded(status, body, _PAGES[part])
        rows = [_row(part, row) for row in page.rows]
        return TracePage(total=page.total, dropped=page.dropped, rows=rows, received=page.received)

    def examples(self, server: ServerAddress) -> Sequence[str]:
        header = 'curl -H "Authorization: Bearer $TOKEN"'
        return (
            f"{header} {server.url}/readyz",
            f'{header} -d \'{{"channel": "general", "text": "hello"}}\' {server.url}/v1/chat.postMessage',
        )


def _violation(payload: bytes) -> Violation:
    """The error of a frame that is not an event of the protocol."""
    try:
        kind = _typed(payload).type
    except _NOT_JSON:
        return Violation(IncidentKind.MALFORMED, "expected a JSON object with a type")
    if kind in _TYPES:
        return Violation(IncidentKind.MALFORMED, f"a field of an event {kind} is missing or of the wrong type")
    return Violation(IncidentKind.UNKNOWN_EVENT, f"an event of the unknown type {kind[:40]!r}")


def _flaw(answer: _Posted, channel: str) -> str:
    """The error of an acknowledgement of the first post of a message to ``channel``."""
    if answer.channel != channel:
        return "the answer names another channel than the post" if answer.channel else "the answer names no channel"
    if answer.duplicate is not False:
        return "the answer calls a first post a duplicate" if answer.duplicate else "the answer lacks `duplicate`"
    return ""


def _shown(body: bytes) -> str:
    """The beginning of a body, in one line."""
    return " ".join(body[:60].decode(errors="replace").split()) or "empty"


def _row(part: TracePart, row: tuple[Any, ...]) -> tuple[str | int, ...]:
    if part is TracePart.BACKPLANE:
        state, at_ns = row
        return _STATES[state], at_ns
    if part is TracePart.DELIVERED:
        return *row[:-1], row[-1] == "recovered"
    return row


def _decoded(status: int, body: bytes, kind: type[T]) -> T:
    """The answer to a request that succeeded. Raises BadAnswer for another status and for a body of another layout."""
    if status != 200:
        raise BadAnswer(f"expected status 200, found {status}: {body[:300].decode(errors='replace')}")
    try:
        return msgspec.json.decode(body, type=kind)
    except _NOT_JSON as error:
        raise BadAnswer(f"expected the JSON object of docs/protocol.md: {error}") from error
