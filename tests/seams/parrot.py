"""A made-up client protocol, `parrot`, with other routes, other headers, and plain text in place of JSON frames.

It exists only in test code. `harness` finds it in its registry, and the load generator's processes through
HARNESS_EXTENSIONS (`tests.seams.extension`). `tests.seams.parrot_server` is a server for it.
"""

from collections.abc import Sequence

import msgspec

from harness.model.client_protocol import ClientProtocolEntry
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
    Welcome,
)
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED

ENTRY = ClientProtocolEntry(
    name="parrot", title="plain text over WebSocket, for tests", adapter="tests.seams.parrot:Parrot"
)


class Parrot:
    """See `harness.protocol.contract.ClientProtocol`. A client says hello first. The server pings each new member."""

    def headers(self, token: str) -> dict[str, str]:
        return {"X-Parrot-Key": token}

    def websocket_url(self, server: ServerAddress) -> str:
        return f"ws://{server.host}:{server.port}/parrot/socket"

    def opening(self) -> bytes | None:
        return b"hello"

    def subscribe(self, channel: str, since: int | None) -> bytes:
        return f"join {channel} {'now' if since is None else since}".encode()

    def classify(self, payload: bytes) -> Frame:
        word, *rest = payload.decode(errors="replace").split(" ", 3)
        if word == "say" and len(rest) == 3:
            return Delivery(rest[0], int(rest[1]), rest[2])
        if word == "joined" and len(rest) == 2:
            return Confirmation(rest[0], int(rest[1]))
        if word == "no":
            return Refusal(" ".join(rest))
        if word == "welcome":
            return Welcome()
        if word == "ping":
            return Other(reply=b"pong")
        return Violation(IncidentKind.UNKNOWN_EVENT, "not a word that parrots know")

    def post_writer(self, server: ServerAddress, token: str) -> PostWriter:
        def request(channel: str, text: str, message_id: str) -> bytes:
            body = f'{{"room":"{channel}","words":"{text}","key":"{message_id}"}}'
            return (
                f"PUT /parrot/words HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nX-Parrot-Key: {token}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()

        return request

    def parse_post(self, status: int, body: bytes, channel: str) -> PostAnswer:
        if status == 201:
            return PostAnswer(ACKNOWLEDGED, int(body))
        return PostAnswer(REJECTED if status < 500 else INDETERMINATE, 0, body.decode(errors="replace"))

    def health(self) -> Request:
        return Request(path="/parrot/alive")

    def parse_health(self, body: bytes) -> None:
        return None  # these servers do not name their kernel

    def readiness(self) -> Request:
        return self.health()

    def history(self, channel: str, *, since: int, limit: int) -> Request | None:
        return Request(path="/parrot/past", parameters={"room": channel, "after": since, "most": limit})

    def parse_history(self, status: int, body: bytes, channel: str) -> HistoryPage:
        if status != 200:
            raise BadAnswer(f"expected status 200, found {status}")
        found = [Stored(seq=seq, text=text) for seq, text in msgspec.json.decode(body, type=list[tuple[int, str]])]
        return HistoryPage(messages=found, last_seq=found[-1].seq if found else 0)

    def rebroadcast(self, channel: str | None) -> Request | None:
        return None

    def parse_rebroadcast(self, status: int, body: bytes) -> Recovered:
        raise BadAnswer("parrots have no rebroadcast")

    def trace(self, part: TracePart, *, offset: int, limit: int) -> Request | None:
        return None

    def parse_trace(self, part: TracePart, status: int, body: bytes) -> TracePage | None:
        return None

    def examples(self, server: ServerAddress) -> Sequence[str]:
        return (f'curl -H "X-Parrot-Key: $TOKEN" {server.url}/parrot/alive',)
