"""One client's conversation, without I/O: what it sends next, and what an answer means."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.load.protocol.dialogue import Dialogue, State
from harness.protocol.chat import Chat
from tests.seams.parrot import Parrot


def event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_a_first_connection_subscribes_from_now_on() -> None:
    """Without a past there is no `since`; the confirmation names where the deliveries begin."""
    dialogue = Dialogue("c", Chat())
    assert json.loads(dialogue.connected()) == {"op": "subscribe", "channel": "c"}
    assert dialogue.received(event(type="subscribed", channel="c", seq=7))
    assert (dialogue.state, dialogue.position) == (State.LIVE, 7)


@given(position=st.integers(0, 100), last=st.integers(0, 200))
def test_a_later_connection_resumes_after_the_newest_seq(position: int, last: int) -> None:
    """Whatever arrived, the next subscription asks for everything after it, never for less than the first position."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    dialogue.received(event(type="subscribed", channel="c", seq=position))
    dialogue.lost(last)
    assert dialogue.state is State.CONNECTING
    assert json.loads(dialogue.connected())["since"] == max(position, last)


def test_a_connection_lost_before_its_subscription_starts_afresh() -> None:
    """A client that was never subscribed has nothing to resume."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    dialogue.lost(0)
    assert "since" not in json.loads(dialogue.connected())


def test_a_refusal_is_kept_as_trouble() -> None:
    """The server's reason is not swallowed."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    assert not dialogue.received(event(type="error", error="too_many_channels", detail="64"))
    assert "too_many_channels: 64" in dialogue.trouble


@given(st.binary(max_size=50))
def test_any_bytes_are_survived(payload: bytes) -> None:
    """A server may send what it likes: it is trouble, not a crash, and never a confirmation."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    if not payload.startswith(b"{"):
        assert not dialogue.received(payload)
        assert dialogue.trouble


def test_a_confirmation_for_another_channel_is_none() -> None:
    """Only the channel that was asked for counts."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    assert not dialogue.received(event(type="subscribed", channel="d", seq=0))
    assert dialogue.state is State.SUBSCRIBING


def test_a_confirmation_behind_a_refusal_does_not_count() -> None:
    """The connection is given up for the refusal; what it brings after that makes no client live."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    assert not dialogue.received(event(type="error", error="overloaded", detail="later"))
    assert not dialogue.received(event(type="subscribed", channel="c", seq=1))
    assert (dialogue.state, "overloaded" in dialogue.trouble) == (State.SUBSCRIBING, True)
    dialogue.lost(0)
    dialogue.connected()
    assert dialogue.trouble == ""
    assert dialogue.received(event(type="subscribed", channel="c", seq=1))


def test_a_protocol_may_open_with_a_greeting() -> None:
    """The subscription follows the server's welcome; a resume too."""
    dialogue = Dialogue("c", Parrot())
    assert dialogue.connected() == b"hello"
    assert not dialogue.received(b"welcome")
    assert dialogue.take_reply() == b"join c now"
    assert dialogue.take_reply() == b""
    assert dialogue.received(b"joined c 3")
    dialogue.lost(5)
    assert dialogue.connected() == b"hello"
    dialogue.received(b"welcome")
    assert dialogue.take_reply() == b"join c 5"


def test_a_ping_of_the_protocol_is_answered() -> None:
    """It is no trouble, before and after the confirmation."""
    dialogue = Dialogue("c", Parrot())
    dialogue.connected()
    assert not dialogue.received(b"ping")
    assert (dialogue.take_reply(), dialogue.trouble) == (b"pong", "")
