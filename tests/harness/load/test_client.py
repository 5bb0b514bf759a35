"""One client's connection: which frames become rows, which become incidents, and when its listener is called."""

import asyncio
import json

import numpy as np
import pytest

from harness.load import client as module
from harness.load.client import PAUSED_BUFFER_BYTES, PONGS_BYTES
from harness.load.protocol.framing import (
    BINARY,
    CLOSE,
    CONTINUATION,
    LOST,
    MESSAGE_LIMIT_BYTES,
    PING,
    PONG,
    TEXT,
    server_frame,
)
from harness.model.message import channel_name, message_text
from tests.harness.load.connected_client import (
    CHANNEL,
    CONFIRMATION,
    PLAN,
    Connected,
    event,
    fragment,
    looped,
    message,
    payload,
    text,
)
from tests.seams.parrot import Parrot


@looped
def test_it_subscribes_and_is_live_when_that_is_confirmed() -> None:
    """The client calls its listener once and keeps the time."""
    one = Connected()
    assert one.transport.protocol is one.client
    assert json.loads(one.last(TEXT)) == {"op": "subscribe", "channel": CHANNEL}
    assert (one.client.live, one.client.subscribed_ns) == (False, 0)
    one.receive(CONFIRMATION)
    assert one.client.live
    assert one.client.subscribed_ns >= one.client.connected_ns > 0
    assert one.changes == [(True, "", False)]


@looped
def test_every_delivery_is_a_row() -> None:
    """A row holds the client, the frame number and the time. Equal bytes have the same frame number and add one more
    row."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), message(1, 6), message(1, 6))
    assert one.rows()["client"].tolist() == [3, 3, 3]
    assert one.rows()["frame"].tolist() == [0, 1, 1]
    assert (np.diff(one.rows()["received_ns"]) >= 0).all()
    assert len(one.changes) == 1, "deliveries do not call the listener"
    assert one.notes.kinds == []


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000])
@looped
def test_rows_do_not_depend_on_how_the_bytes_arrive(piece: int) -> None:
    """One read may hold several frames, and one frame may need several reads. A ping may come in between."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5))
    stream = message(1, 6) + server_frame(PING, b"hi") + message(0, 7) + message(0, 5) + message(2, 8)
    one.receive(*(stream[at : at + piece] for at in range(0, len(stream), piece)))
    assert one.rows()["frame"].tolist() == [0, 1, 2, 0, 3]
    assert one.last(PONG) == b"hi"
    assert one.notes.kinds == []


@looped
def test_known_bytes_within_another_frame_are_no_delivery() -> None:
    """The rest of a long frame may have the same bytes as a known frame."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5))
    one.receive(text(b'{"type":"x"}' + message(0, 5))[: -len(message(0, 5))], message(0, 5))
    assert len(one.rows()) == 1


@looped
def test_a_fragmented_delivery_is_one_row() -> None:
    """The delivery counts when its last fragment has arrived. A control frame in between changes nothing."""
    whole = payload(0, 5)
    one = Connected()
    one.receive(CONFIRMATION, fragment(TEXT, whole[:20]), server_frame(PING, b""))
    assert len(one.rows()) == 0
    one.receive(fragment(CONTINUATION, whole[20:60]), server_frame(CONTINUATION, whole[60:]))
    assert one.rows()["frame"].tolist() == [0]
    one.receive(message(0, 5), fragment(TEXT, whole))
    assert len(one.rows()) == 2, "a first fragment with all the text is not yet a message"
    one.receive(server_frame(CONTINUATION, b""))
    assert one.rows()["frame"].tolist() == [0, 0, 0]
    assert one.notes.kinds == []


@looped
def test_a_message_in_binary_frames_is_no_delivery() -> None:
    """This holds for known and unknown bytes, in one frame or in fragments. The connection stays open."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), server_frame(BINARY, payload(0, 5)), server_frame(BINARY, b"\xff"))
    one.receive(fragment(BINARY, payload(0, 5)), server_frame(CONTINUATION, b""))
    assert len(one.rows()) == 1
    assert one.notes.kinds == ["binary"] * 3
    assert one.client.live
    assert one.transport.done == []


BROKEN = {
    "reserved bit": bytes((message(0, 5)[0] | 0x40, *message(0, 5)[1:])),
    "unknown opcode": bytes((0x83, *message(0, 5)[1:])),
    "masked": b"\x81\x81\x00\x00\x00\x00x",
    "continuation of nothing": server_frame(CONTINUATION, payload(0, 5)),
    "message within a message": fragment(TEXT, b"x") + message(0, 5),
    "not UTF-8": text(b'{"type":"message","text":"\xff"}'),
    "not UTF-8 in fragments": fragment(TEXT, b"\xc3") + server_frame(CONTINUATION, b"\x28"),
    "longer than allowed": text(b"x" * (MESSAGE_LIMIT_BYTES + 1)),
    "longer than allowed in fragments": (fragment(TEXT, b"") + fragment(CONTINUATION, b"x" * 65_000) * 5),
    "a close frame of one byte": server_frame(CLOSE, b"\x03"),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
@looped
def test_a_broken_frame_costs_its_connection_and_is_counted(data: bytes) -> None:
    """The deliveries before the broken frame count, and nothing after it does. The client sends a close frame with the
    reason, and can connect again."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), message(1, 6) + data)
    assert len(one.rows()) == 2
    assert one.notes.kinds == ["framing"]
    assert int.from_bytes(one.last(CLOSE)[:2], "big") in (1002, 1007, 1009)
    assert one.transport.done == ["close"]
    one.client.connection_lost(None)
    one.connect()
    one.receive(text(event(type="subscribed", channel=CHANNEL, seq=6)), message(2, 7))
    assert one.rows()["frame"].tolist() == [0, 1, 2]
    assert one.notes.kinds == ["framing"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"junk", "malformed"),
        (b"[" * 50_000, "malformed"),
        (event(type="message", channel=CHANNEL, seq=1), "malformed"),
        (event(type="subscribed", channel=CHANNEL, seq=2**70), "malformed"),
        (event(type="rumour", channel=CHANNEL), "unknown-event"),
        (event(type="error", error="invalid_json", detail=""), "unasked"),
        (event(type="subscribed", channel=CHANNEL, seq=5), "unasked"),
        (event(type="unsubscribed", channel=CHANNEL), "unasked"),
    ],
)
@looped
def test_text_that_does_not_belong_here_is_counted(data: bytes, kind: str) -> None:
    """The text is no subscription and no delivery. The connection stays open, and the listener is not called."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), text(data), message(1, 6))
    assert one.notes.kinds == [kind]
    assert (len(one.rows()), one.changes, one.transport.done) == (2, [(True, "", False)], [])


@looped
def test_an_unknown_event_before_the_confirmation_changes_nothing() -> None:
    """The client still waits for its confirmation and accepts it."""
    one = Connected()
    one.receive(text(event(type="rumour")))
    assert (one.client.live, one.changes) == (False, [])
    one.receive(CONFIRMATION)
    assert one.changes == [(True, "", False)]


@pytest.mark.parametrize(("seq", "kinds"), [(5, []), (4, ["position"]), (7, ["position"])])
@looped
def test_the_first_delivery_is_the_one_after_the_position(seq: int, kinds: list[str]) -> None:
    """This is checked on every connection, even if the bytes of the delivery are already known."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, seq), message(1, seq + 1))
    assert one.notes.kinds == kinds
    one.client.connection_lost(None)
    one.connect()
    one.receive(text(event(type="subscribed", channel=CHANNEL, seq=seq + 1)), message(1, seq + 1))
    assert one.notes.kinds == [*kinds, "position"], "a repetition behind the position that was confirmed"


@looped
def test_a_refusal_calls_the_listener_with_the_reason() -> None:
    """The listener decides what to do next."""
    one = Connected()
    one.receive(text(event(type="error", error="overloaded", detail="later")))
    assert one.changes == [(False, f"the server refused {CHANNEL}: overloaded: later", False)]


@looped
def test_replies_are_sent_and_are_no_change() -> None:
    """A protocol may greet first and ping later. The client sends the replies, and calls its listener for the
    subscription only."""
    one = Connected(Parrot())
    assert one.last(TEXT) == b"hello"
    one.receive(text(b"welcome"))
    assert one.last(TEXT) == f"join {CHANNEL} now".encode()
    assert one.changes == []
    one.receive(text(f"joined {CHANNEL} 4".encode()), text(b"ping"))
    assert one.last(TEXT) == b"pong"
    assert one.changes == [(True, "", False)]


@pytest.mark.parametrize(
    ("data", "code", "answer"),
    [((1012).to_bytes(2, "big") + b"later", 1012, (1012).to_bytes(2, "big")), (b"", 1005, b"")],
)
@looped
def test_a_close_frame_is_answered(data: bytes, code: int, answer: bytes) -> None:
    """The client answers at once with the same code and then leaves the closing of the TCP connection to the server.
    Frames after the close frame do not count."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), server_frame(CLOSE, data))
    assert (one.last(CLOSE), one.client.close_code, one.transport.done) == (answer, code, [])
    one.receive(message(0, 5))
    assert (len(one.rows()), one.notes.kinds) == (1, ["framing"])
    one.client.connection_lost(None)
    assert (one.client.close_code, one.client.transport) == (code, None)


def test_a_server_that_does_not_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client aborts the connection CLOSE_LIMIT_S after the closing handshake."""
    monkeypatch.setattr(module, "CLOSE_LIMIT_S", 0.0)

    async def main() -> None:
        one = Connected()
        one.receive(server_frame(CLOSE, b""))
        async with asyncio.timeout(10):
            while one.transport.done != ["abort"]:
                await asyncio.sleep(0)

    asyncio.run(main())


@looped
def test_after_a_loss_it_resumes_after_its_newest_delivery() -> None:
    """A connection that ends without a close frame has the code LOST. The next connection resumes after the newest
    delivery."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5))
    one.client.connection_lost(None)
    assert (one.client.close_code, one.client.transport) == (LOST, None)
    assert one.changes[-1] == (False, "", True)
    one.connect()
    assert json.loads(one.last(TEXT))["since"] == 5


@looped
def test_half_a_frame_does_not_outlive_its_connection() -> None:
    """The next connection starts with an empty buffer."""
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5), fragment(TEXT, b"x"), message(1, 6)[:30])
    one.client.connection_lost(None)
    one.connect()
    one.receive(text(event(type="subscribed", channel=CHANNEL, seq=5)), message(1, 6))
    assert one.rows()["frame"].tolist() == [0, 1]


@looped
def test_closing_in_good_order() -> None:
    """The client sends a close frame with 1000. Deliveries that arrive after it are not counted and are no incident."""
    one = Connected()
    one.receive(CONFIRMATION)
    one.client.close()
    assert (one.last(CLOSE), one.client.close_code) == ((1000).to_bytes(2, "big"), 1000)
    assert one.transport.done == ["close"]
    one.receive(message(0, 5))
    assert (len(one.rows()), one.notes.kinds) == (0, [])


@looped
def test_reading_is_paused_and_resumed() -> None:
    """The pause sets a small receive buffer, so that the server notices it. Without a connection nothing happens."""
    one = Connected()
    one.client.pause_reading()
    one.client.resume_reading()
    assert one.transport.done == ["pause", PAUSED_BUFFER_BYTES, "resume"]
    one.client.connection_lost(None)
    one.client.pause_reading()
    one.client.resume_reading()
    one.client.drop()
    one.client.close()
    assert len(one.transport.done) == 3


@looped
def test_too_many_different_deliveries_are_an_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the table's limit nothing is compared any more. The incident reports this."""
    one = Connected()
    one.sink.frames.limit = 2
    one.receive(CONFIRMATION, message(0, 5), message(1, 6), message(2, 7))
    assert one.notes.kinds == ["frame-limit"]
    assert len(one.rows()) == 3


OTHER_CHANNEL = channel_name(PLAN.run_id, 1)


def elsewhere(seq: int) -> bytes:
    """A delivery of another channel that is itself sound."""
    body = message_text(PLAN.run_id, 1, PLAN.text_bytes)
    return text(event(type="message", channel=OTHER_CHANNEL, seq=seq, text=body))


@pytest.mark.parametrize("known", [False, True])
@looped
def test_a_client_resumes_after_the_last_sound_delivery_of_its_channel(known: bool) -> None:
    """Three kinds of delivery do not move a client's position: of another channel, altered, or behind the position."""
    altered = text(event(type="message", channel=CHANNEL, seq=70, text="altered"))
    one = Connected()
    one.receive(CONFIRMATION, message(0, 5))
    for _ in range(2 if known else 1):
        one.receive(elsewhere(90), altered)
    one.client.connection_lost(None)
    one.connect()
    assert json.loads(one.last(TEXT))["since"] == 5
    one.receive(text(event(type="subscribed", channel=CHANNEL, seq=5)), message(1, 6), message(2, 3), message(2, 3))
    one.client.connection_lost(None)
    one.connect()
    assert json.loads(one.last(TEXT))["since"] >= 5, "never less than it had"


@looped
def test_a_misdirected_first_delivery_is_no_wrong_position() -> None:
    """The judging reports a misdirected delivery itself. The client still checks the first delivery of its own
    channel."""
    one = Connected()
    one.receive(CONFIRMATION, elsewhere(90), message(0, 5))
    assert one.notes.kinds == []
    wrong = Connected()
    wrong.receive(CONFIRMATION, elsewhere(90), message(0, 7))
    assert wrong.notes.kinds == ["position"]


@looped
def test_pings_are_not_answered_without_bound() -> None:
    """If a server pings and does not read, the client queues at most PONGS_BYTES of answers. Each further ping is
    counted as an incident."""
    one = Connected()
    one.receive(CONFIRMATION, server_frame(PING, b"a"))
    one.transport.unwritten_bytes = PONGS_BYTES
    one.receive(server_frame(PING, b"b"), server_frame(PING, b"c"))
    assert (one.last(PONG), one.notes.kinds) == (b"a", ["unanswered-ping"] * 2)


@looped
def test_the_first_close_frame_counts() -> None:
    """A client that closes after the server's close frame keeps the server's code and sends no second close frame."""
    one = Connected()
    one.receive(CONFIRMATION, server_frame(CLOSE, (1012).to_bytes(2, "big")))
    one.receive(server_frame(CLOSE, (1001).to_bytes(2, "big")))
    one.client.close()
    assert one.client.close_code == 1012
    assert [kind for kind, _ in one.transport.sent].count(CLOSE) == 1
