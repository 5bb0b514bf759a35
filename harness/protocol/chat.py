"""The adapter of docs/protocol.md, version 1: the only module that knows its routes, headers and frames."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from harness.model.clock import KernelIdentity
from harness.model.cluster import ServerAddress
from harness.protocol.contract import (
    BadAnswer,
    Confirmation,
    Delivery,
    Frame,
    Other,
    PostAnswer,
    PostWriter,
    Recovered,
    Refusal,
    Request,
    Stored,
    TracePage,
    TracePart,
)
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED, UP

NOT_STORED = frozenset({"database_unavailable", "overloaded"})
"""Errors with a status of 500 or more after which the message is certainly not stored."""

_STATES = {"down": DOWN, "up": UP, "subscribed": SUBSCRIBED}
_NO_TRACE = (400, 404)


class _Health(msgspec.Struct):
    clock: KernelIdentity | None = None


class _Message(Delivery, tag="message", tag_field="type", gc=False):
    """A delivery as it is sent."""


class _Event(msgspec.Struct, gc=False):
    """Any other frame; fields that a type does not have stay empty."""

    type: str
    channel: str = ""
    seq: int = 0
    error: str = ""
    detail: str = ""


class _Posted(msgspec.Struct, gc=False):
    ok: bool
    seq: int = 0
    error: str = ""


class _StoredMessage(msgspec.Struct):
    seq: int
    text: str


class _History(msgspec.Struct):
    messages: list[_StoredMessage]


class _Recovered(msgspec.Struct):
    channels: int
    messages: int


class _Page(msgspec.Struct):
    total: int
    dropped: int
    rows: list[list[Any]]


_message = msgspec.json.Decoder(_Message).decode
_event = msgspec.json.Decoder(_Event).decode
_posted = msgspec.json.Decoder(_Posted).decode
_health = msgspec.json.Decoder(_Health).decode
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)

T = TypeVar("T")


class Chat:
    """See `harness.protocol.contract.ClientProtocol`."""

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def websocket_url(self, server: ServerAddress) -> str:
        return f"ws://{server.host}:{server.port}/v1/ws"

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
            return Other(problem=f"expected a JSON event, found {payload[:100]!r}")
        if event.type == "subscribed":
            return Confirmation(event.channel, event.seq)
        if event.type == "error":
            return Refusal(f"{event.error}: {event.detail}")
        return Other(problem=f"unexpected {event.type!r} for channel {event.channel!r}")

    def post_writer(self, server: ServerAddress, token: str) -> PostWriter:
        head = (
            f"POST /v1/chat.postMessage HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: "
        )

        def request(channel: str, text: str, message_id: str) -> bytes:
            # Names and texts are ours: plain ASCII without anything that JSON would escape.
            body = f'{{"channel":"{channel}","text":"{text}","client_msg_id":"{message_id}"}}'
            return f"{head}{len(body)}\r\n\r\n{body}".encode()

        return request

    def parse_post(self, status: int, body: bytes) -> PostAnswer:
        try:
            answer = _posted(body)
        except _NOT_JSON as error:
            raise BadAnswer(f"expected a JSON object with ok: {error}") from error
        if status == 200 and answer.ok:
            return PostAnswer(ACKNOWLEDGED, answer.seq)
        if 400 <= status < 500 or answer.error in NOT_STORED:
            return PostAnswer(REJECTED, 0, answer.error)
        return PostAnswer(INDETERMINATE, 0, answer.error)

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

    def parse_history(self, status: int, body: bytes) -> Sequence[Stored]:
        found = _decoded(status, body, _History)
        return [Stored(seq=each.seq, text=each.text) for each in found.messages]

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
        page = _decoded(status, body, _Page)
        try:
            rows = [_row(part, row) for row in page.rows]
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise BadAnswer(f"expected rows of the trace's part {part}: {type(error).__name__}: {error}") from error
        return TracePage(total=page.total, dropped=page.dropped, rows=rows)

    def examples(self, server: ServerAddress) -> Sequence[str]:
        header = 'curl -H "Authorization: Bearer $TOKEN"'
        return (
            f"{header} {server.url}/readyz",
            f'{header} -d \'{{"channel": "general", "text": "hello"}}\' {server.url}/v1/chat.postMessage',
        )


def _row(part: TracePart, row: list[Any]) -> tuple[str | int, ...]:
    if part is TracePart.BACKPLANE:
        state, at_ns = row
        return _STATES[state], at_ns
    if part is TracePart.DELIVERED:
        return *row[:-1], row[-1] == "recovered"
    return tuple(row)


def _decoded(status: int, body: bytes, kind: type[T]) -> T:
    """The answer to a request that succeeded. Raises BadAnswer for another status and for a body of another layout."""
    if status != 200:
        raise BadAnswer(f"expected status 200, found {status}: {body[:300].decode(errors='replace')}")
    try:
        return msgspec.json.decode(body, type=kind)
    except _NOT_JSON as error:
        raise BadAnswer(f"expected the JSON object of docs/protocol.md: {error}") from error
