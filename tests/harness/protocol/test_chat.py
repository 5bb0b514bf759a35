"""The adapter for docs/protocol.md: what it sends, and how it reads every answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.cluster import ServerAddress
from harness.model.incident import IncidentKind
from harness.protocol import open_protocol
from harness.protocol.chat import Chat
from harness.protocol.contract import (
    BadAnswer,
    Confirmation,
    Delivery,
    HistoryPage,
    Other,
    PostAnswer,
    Recovered,
    Refusal,
    Stored,
    TracePart,
    Violation,
)
from harness.recording.format import ACKNOWLEDGED, DOWN, INDETERMINATE, REJECTED, SUBSCRIBED, UP

CHAT = Chat()
SERVER = ServerAddress(name="server-1", host="10.0.0.7", port=8001)


def encoded(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_the_registry_opens_it() -> None:
    """Jobs and topologies use the name `chat`."""
    assert isinstance(open_protocol("chat"), Chat)


def test_routes_and_headers() -> None:
    """The adapter knows every route of docs/protocol.md that the harness uses. The header holds the token."""
    assert CHAT.headers("t0ken") == {"Authorization": "Bearer t0ken"}
    assert CHAT.websocket_url(SERVER) == "ws://10.0.0.7:8001/v1/ws"
    assert CHAT.health().path == "/healthz"
    assert CHAT.readiness().path == "/readyz"
    history = CHAT.history("c", since=3, limit=10)
    assert history is not None
    assert (history.method, history.path) == ("GET", "/v1/conversations.history")
    assert history.parameters == {"channel": "c", "since": 3, "limit": 10}
    everywhere, one = CHAT.rebroadcast(None), CHAT.rebroadcast("c")
    assert everywhere is not None
    assert one is not None
    assert (everywhere.method, everywhere.path, everywhere.parameters) == ("POST", "/v1/rebroadcast", {})
    assert one.parameters == {"channel": "c"}
    trace = CHAT.trace(TracePart.DELIVERED, offset=7, limit=100)
    assert trace is not None
    assert (trace.path, trace.parameters) == ("/v1/trace", {"part": "delivered", "offset": 7, "limit": 100})
    assert [command.split()[-1] for command in CHAT.examples(SERVER)] == [
        "http://10.0.0.7:8001/readyz",
        "http://10.0.0.7:8001/v1/chat.postMessage",
    ]


def test_a_subscription_and_a_resume() -> None:
    """Only a resume has `since`, and seq 0 is a valid position. The protocol sends nothing before the subscription."""
    assert CHAT.opening() is None
    assert json.loads(CHAT.subscribe("c", None)) == {"op": "subscribe", "channel": "c"}
    assert json.loads(CHAT.subscribe("c", 0)) == {"op": "subscribe", "channel": "c", "since": 0}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (encoded(type="message", channel="c", seq=43, text="hé"), Delivery("c", 43, "hé")),
        (encoded(type="message", channel="c", seq=43, text="t", extra=[1]), Delivery("c", 43, "t")),
        (encoded(type="subscribed", channel="c", seq=42), Confirmation("c", 42)),
        (encoded(type="error", error="too_many_channels", detail="64"), Refusal("too_many_channels: 64")),
        (encoded(type="gap", channel="c", seq=4), Other()),
        (encoded(type="unsubscribed", channel="c"), IncidentKind.UNASKED),
        (encoded(type="rumour", channel="c"), IncidentKind.UNKNOWN_EVENT),
        (encoded(type="", channel="c", seq=1), IncidentKind.UNKNOWN_EVENT),
        (encoded(type="message", channel="c", seq="x"), IncidentKind.MALFORMED),
        (encoded(type="message", channel="c", seq=1), IncidentKind.MALFORMED),
        (encoded(type="subscribed", channel="c"), IncidentKind.MALFORMED),
        (encoded(type="subscribed", channel="c", seq=-1), IncidentKind.MALFORMED),
        (encoded(type="subscribed", channel="c", seq=2**70), IncidentKind.MALFORMED),
        (encoded(type="error"), IncidentKind.MALFORMED),
        (encoded(type=7), IncidentKind.MALFORMED),
        (encoded(channel="c", seq=1), IncidentKind.MALFORMED),
        (b"junk", IncidentKind.MALFORMED),
        (b"[]", IncidentKind.MALFORMED),
        (b'{"type":"message"', IncidentKind.MALFORMED),
        (b'{"x":' * 20_000, IncidentKind.MALFORMED),
    ],
)
def test_every_frame_is_classified(payload: bytes, expected: object) -> None:
    """A frame is a delivery, a confirmation, a refusal or a known other event. Any other frame is a violation of a
    certain kind."""
    found = CHAT.classify(payload)
    if isinstance(expected, IncidentKind):
        assert isinstance(found, Violation)
        assert found.kind is expected
        assert found.reason
    elif isinstance(expected, Refusal | Other):
        assert found == expected
    else:
        assert isinstance(found, type(expected))
        assert vars_of(found) == vars_of(expected)


def vars_of(frame: object) -> tuple[object, ...]:
    assert isinstance(frame, Delivery | Confirmation)
    return frame.channel, frame.seq, frame.text if isinstance(frame, Delivery) else ""


@given(st.binary(max_size=80))
def test_classification_never_raises(payload: bytes) -> None:
    """A server may send any bytes."""
    CHAT.classify(payload)


def test_a_post_is_one_whole_request() -> None:
    """The request has a head with the length of the body, and a JSON body with channel, text and client message id."""
    head, _, body = CHAT.post_writer(SERVER, "t0ken")("c", "hello", "run-1").partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat.postMessage HTTP/1.1\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert lines == {
        "Host": "10.0.0.7:8001",
        "Authorization": "Bearer t0ken",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    assert json.loads(body) == {"channel": "c", "text": "hello", "client_msg_id": "run-1"}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, encoded(ok=True, channel="c", seq=42, duplicate=False), PostAnswer(ACKNOWLEDGED, 42)),
        (413, encoded(ok=False, error="too_large"), PostAnswer(REJECTED, 0, "too_large")),
        (503, encoded(ok=False, error="database_unavailable"), PostAnswer(REJECTED, 0, "database_unavailable")),
        (503, encoded(ok=False, error="overloaded"), PostAnswer(REJECTED, 0, "overloaded")),
        (500, encoded(ok=False, error="outcome_unknown"), PostAnswer(INDETERMINATE, 0, "outcome_unknown")),
        (500, encoded(ok=False, error="internal_error"), PostAnswer(INDETERMINATE, 0, "internal_error")),
    ],
)
def test_an_answer_to_a_post_decides_its_outcome(status: int, body: bytes, expected: PostAnswer) -> None:
    """A post is rejected only if the protocol says that the message is certainly not stored."""
    assert CHAT.parse_post(status, body, "c") == expected


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, encoded(ok=True, channel="c", seq=42, duplicate=True), ACKNOWLEDGED),
        (200, encoded(ok=True, channel="d", seq=42, duplicate=False), ACKNOWLEDGED),
        (200, encoded(ok=True, seq=42), ACKNOWLEDGED),
        (200, encoded(ok=True, channel="c", seq=0, duplicate=False), INDETERMINATE),
        (200, encoded(ok=True, channel="c", seq=2**70, duplicate=False), INDETERMINATE),
        (200, encoded(ok=True, channel="c", seq="42", duplicate=False), INDETERMINATE),
        (200, encoded(ok=False, error="odd"), INDETERMINATE),
        (201, encoded(ok=True, channel="c", seq=42, duplicate=False), INDETERMINATE),
        (503, encoded(ok=True, channel="c", seq=42, duplicate=False), INDETERMINATE),
        (400, encoded(ok=False), REJECTED),
        (500, b"<html>", INDETERMINATE),
        (404, b"not found", INDETERMINATE),
        (200, b"nope", INDETERMINATE),
        (200, b"[]", INDETERMINATE),
        (200, b"{}", INDETERMINATE),
        (200, b"\xff", INDETERMINATE),
        (200, b"", INDETERMINATE),
        (200, b"[" * 20_000, INDETERMINATE),
    ],
)
def test_an_answer_that_breaks_the_protocol_has_a_flaw(status: int, body: bytes, outcome: int) -> None:
    """If the answer cannot be trusted, the outcome is unknown."""
    found = CHAT.parse_post(status, body, "c")
    assert found.outcome == outcome
    assert found.flaw


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_speaks_for_itself(status: int) -> None:
    """The page of a gateway says nothing about the message. It is no flaw of the service."""
    found = CHAT.parse_post(status, b"<html>\n <h1>Bad Gateway</h1>", "c")
    assert (found.outcome, found.flaw) == (INDETERMINATE, "")
    assert found.error == "an answer that is not the JSON object of the protocol (<html> <h1>Bad Gateway</h1>)"


def test_history_and_rebroadcast() -> None:
    """The harness reads the fields that it uses and ignores other fields."""
    body = encoded(ok=True, channel="c", messages=[{"seq": 1, "text": "a"}, {"seq": 2, "text": "b"}], last_seq=2)
    stored = [Stored(seq=1, text="a"), Stored(seq=2, text="b")]
    assert CHAT.parse_history(200, body, "c") == HistoryPage(messages=stored, last_seq=2)
    with pytest.raises(BadAnswer, match="expected the history of channel d, found 'c'"):
        CHAT.parse_history(200, body, "d")
    with pytest.raises(BadAnswer, match="expected seqs of at least 1"):
        CHAT.parse_history(200, encoded(ok=True, channel="c", messages=[{"seq": 2**70, "text": "a"}], last_seq=1), "c")
    assert CHAT.parse_rebroadcast(200, encoded(ok=True, channels=3, messages=5)) == Recovered(channels=3, messages=5)
    with pytest.raises(BadAnswer, match="expected status 200, found 503: not now"):
        CHAT.parse_history(503, b"not now", "c")
    with pytest.raises(BadAnswer, match=r"docs/protocol\.md"):
        CHAT.parse_rebroadcast(200, b"{}")


@pytest.mark.parametrize(
    ("part", "rows", "expected"),
    [
        (TracePart.ACCEPTED, [["c", 1, 10, 20, 30]], [("c", 1, 10, 20, 30)]),
        (
            TracePart.DELIVERED,
            [["c", 1, 10, 20, 4, "live"], ["c", 2, 10, 20, 4, "recovered"]],
            [("c", 1, 10, 20, 4, False), ("c", 2, 10, 20, 4, True)],
        ),
        (TracePart.BACKPLANE, [["up", 1], ["subscribed", 2], ["down", 3]], [(UP, 1), (SUBSCRIBED, 2), (DOWN, 3)]),
    ],
)
def test_a_page_of_a_trace(part: TracePart, rows: list[object], expected: list[object]) -> None:
    """The adapter turns the protocol's words into the values of the recording."""
    page = CHAT.parse_trace(part, 200, encoded(ok=True, total=9, dropped=1, rows=rows))
    assert page is not None
    assert (page.total, page.dropped, page.rows) == (9, 1, expected)


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_without_a_trace(status: int) -> None:
    """404 means that the server has no trace, 400 that it does not have this part."""
    assert CHAT.parse_trace(TracePart.BACKPLANE, status, b"") is None


@pytest.mark.parametrize("row", [["sideways", 1], ["up"], []])
def test_a_row_of_another_layout_is_refused(row: list[object]) -> None:
    """The error names the row. The adapter does not guess."""
    with pytest.raises(BadAnswer, match=r"docs/protocol\.md: .* at `\$\.rows\[0\]"):
        CHAT.parse_trace(TracePart.BACKPLANE, 200, encoded(total=1, dropped=0, rows=[row]))


@pytest.mark.parametrize(
    ("body", "clock"),
    [
        (b'{"ok": true, "clock": {"boot_id": "b", "time_namespace": "t"}}', ("b", "t")),
        (b'{"ok": true, "clock": null}', None),
        (b'{"ok": true}', None),
        (b"fine", None),
        (b'{"ok": true, "clock": 7}', None),
    ],
)
def test_a_healthy_server_may_say_which_kernel_it_runs_on(body: bytes, clock: tuple[str, str] | None) -> None:
    """If the statement is missing or cannot be read, the kernel is not known."""
    found = Chat().parse_health(body)
    assert (None if found is None else (found.boot_id, found.time_namespace)) == clock


@pytest.mark.parametrize("seq", [-1, 2**70, "7", None, 1.5])
def test_a_trace_holds_numbers_that_fit_a_recording(seq: object) -> None:
    """The error names any other value. It ends only the collection of this trace."""
    body = encoded(ok=True, total=1, dropped=0, rows=[["c", seq, 1, 2, 3]])
    with pytest.raises(BadAnswer, match=r"at `\$\.rows\[0\]\[1\]`"):
        CHAT.parse_trace(TracePart.ACCEPTED, 200, body)


def test_ipv6_addresses_are_in_brackets() -> None:
    """This holds for the address of the WebSocket and for the header Host."""
    server = ServerAddress(name="server-1", host="::1", port=8001)
    assert CHAT.websocket_url(server) == "ws://[::1]:8001/v1/ws"
    assert b"\r\nHost: [::1]:8001\r\n" in CHAT.post_writer(server, "t")("c", "x", "1")


@pytest.mark.parametrize("body", [b"", b'{"ok": false, "error": "timeout"}'])
def test_408_is_the_answer_of_a_gateway(body: bytes) -> None:
    """The gateway may have passed the post on, so the outcome is unknown. The server broke no rule."""
    found = CHAT.parse_post(408, body, "c")
    assert (found.outcome, found.flaw) == (INDETERMINATE, "")
