"""One client's connection: which frames become rows, and what its listener hears."""

import json
from typing import Any

import numpy as np
from picows import WSMsgType

from harness.load.client import LOST, PAUSED_BUFFER_BYTES, Client, Sink
from harness.load.frames import FrameTable
from harness.load.protocol.dialogue import Dialogue
from harness.model.message import channel_name, message_text
from harness.protocol.chat import Chat
from harness.protocol.contract import ClientProtocol
from harness.recording.format import DELIVERY
from tests.harness.plans import a_plan
from tests.seams.parrot import Parrot

PLAN = a_plan()
CHANNEL = channel_name(PLAN.run_id, 0)


class Frame:
    """What picows hands over."""

    def __init__(self, payload: bytes, kind: WSMsgType = WSMsgType.TEXT, *, fin: bool = True) -> None:
        self.payload, self.msg_type, self.fin = payload, kind, fin

    def get_payload_as_bytes(self) -> bytes:
        return self.payload


class Transport:
    """Writes down what is done to it; it is its own underlying transport and socket."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.done: list[object] = []
        self.underlying_transport = self

    def send(self, kind: object, payload: bytes) -> None:
        self.sent.append(payload)

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")

    def get_extra_info(self, name: str) -> "Transport":
        return self

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.done.append(value)


class Connected:
    """A connected client with its transport, its rows, and the states that its listener saw."""

    def __init__(self, protocol: ClientProtocol | None = None) -> None:
        protocol = protocol or Chat()
        self.sink = Sink(FrameTable(PLAN, 10, protocol.classify))
        self.changes: list[tuple[bool, str, bool]] = []
        self.client = Client(3, 1, Dialogue(CHANNEL, protocol), self.sink, self.on_change)
        self.transport: Any = Transport()
        self.client.on_ws_connected(self.transport)

    def on_change(self, client: Client) -> None:
        self.changes.append((client.live, client.dialogue.trouble, client.transport is None))

    def receive(self, *frames: Any) -> None:
        for frame in frames:
            self.client.on_ws_frame(self.transport, frame)

    def rows(self) -> Any:
        return np.frombuffer(self.sink.rows, DELIVERY)


def event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def message(number: int, seq: int) -> bytes:
    return event(type="message", channel=CHANNEL, seq=seq, text=message_text(PLAN.run_id, number, PLAN.text_bytes))


CONFIRMATION = event(type="subscribed", channel=CHANNEL, seq=4)


def test_it_subscribes_and_is_live_when_that_is_confirmed() -> None:
    """The listener is called once, and the time is kept."""
    one = Connected()
    assert json.loads(one.transport.sent[0]) == {"op": "subscribe", "channel": CHANNEL}
    assert (one.client.live, one.client.subscribed_ns) == (False, 0)
    one.receive(Frame(CONFIRMATION))
    assert one.client.live
    assert one.client.subscribed_ns >= one.client.connected_ns > 0
    assert one.changes == [(True, "", False)]


def test_every_delivery_is_a_row() -> None:
    """Client, frame number, time; the same bytes again are the same frame and one more row."""
    one = Connected()
    one.receive(Frame(CONFIRMATION), Frame(message(0, 5)), Frame(message(1, 6)), Frame(message(1, 6)))
    assert one.rows()["client"].tolist() == [3, 3, 3]
    assert one.rows()["frame"].tolist() == [0, 1, 1]
    assert (np.diff(one.rows()["received_ns"]) >= 0).all()
    assert len(one.changes) == 1, "deliveries do not call the listener"


def test_a_fragmented_delivery_is_one_row() -> None:
    """It counts when its last fragment is there; a control frame in between changes nothing."""
    whole = message(0, 5)
    one = Connected()
    one.receive(Frame(CONFIRMATION), Frame(whole[:20], fin=False), Frame(b"", WSMsgType.PING))
    assert len(one.rows()) == 0
    one.receive(Frame(whole[20:60], WSMsgType.CONTINUATION, fin=False), Frame(whole[60:], WSMsgType.CONTINUATION))
    assert one.rows()["frame"].tolist() == [0]
    one.receive(Frame(b"x", WSMsgType.CONTINUATION), Frame(b"\x00", WSMsgType.BINARY))
    assert len(one.rows()) == 1


def test_a_refusal_calls_the_listener_with_the_reason() -> None:
    """It decides what follows."""
    one = Connected()
    one.receive(Frame(event(type="error", error="overloaded", detail="later")))
    assert one.changes == [(False, f"the server refused {CHANNEL}: overloaded: later", False)]


def test_replies_are_sent_and_are_no_change() -> None:
    """A protocol may greet first and ping later: the answers go out, and the listener hears of the subscription alone."""
    one = Connected(Parrot())
    assert one.transport.sent == [b"hello"]
    one.receive(Frame(b"welcome"))
    assert one.transport.sent[1:] == [f"join {CHANNEL} now".encode()]
    assert one.changes == []
    one.receive(Frame(f"joined {CHANNEL} 4".encode()), Frame(b"ping"))
    assert one.transport.sent[2:] == [b"pong"]
    assert one.changes == [(True, "", False)]


def test_after_a_loss_it_resumes_after_its_newest_delivery() -> None:
    """The close code of the server, or LOST without one; the next connection asks for what follows."""
    one = Connected()
    one.receive(Frame(CONFIRMATION), Frame(message(0, 5)), Frame((1012).to_bytes(2, "big"), WSMsgType.CLOSE))
    one.client.on_ws_disconnected(one.transport)
    assert (one.client.close_code, one.client.transport) == (1012, None)
    assert one.changes[-1] == (False, "", True)
    one.client.on_ws_connected(one.transport)
    assert json.loads(one.transport.sent[-1])["since"] == 5
    one.client.on_ws_disconnected(one.transport)
    assert one.client.close_code == LOST


def test_reading_is_paused_and_resumed() -> None:
    """With a small receive buffer, so that the server notices; without a connection nothing happens."""
    one = Connected()
    one.client.pause_reading()
    one.client.resume_reading()
    assert one.transport.done == ["pause", PAUSED_BUFFER_BYTES, "resume"]
    one.client.on_ws_disconnected(one.transport)
    one.client.pause_reading()
    one.client.resume_reading()
    assert len(one.transport.done) == 3
