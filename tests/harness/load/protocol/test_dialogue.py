"""One client's conversation, without I/O: what it sends next, and what an answer means."""

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.load.protocol.dialogue import Dialogue, Reaction, State
from harness.model.incident import IncidentKind
from harness.protocol.chat import Chat
from harness.protocol.contract import ClientProtocol
from tests.seams.parrot import Parrot


def event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def receive(dialogue: Dialogue, payload: bytes, protocol: ClientProtocol | None = None) -> Reaction:
    """The reaction to a text message that is not a delivery."""
    return dialogue.received((protocol or Chat()).classify(payload))


def kind(reaction: Reaction) -> IncidentKind | None:
    return reaction.violation.kind if reaction.violation else None


def test_a_first_connection_subscribes_from_now_on() -> None:
    """The first subscription has no `since`. The confirmation names the position where the deliveries begin."""
    dialogue = Dialogue("c", Chat())
    assert json.loads(dialogue.connected()) == {"op": "subscribe", "channel": "c"}
    assert receive(dialogue, event(type="subscribed", channel="c", seq=7)) == Reaction(confirmed=True)
    assert (dialogue.state, dialogue.position) == (State.LIVE, 7)


@given(position=st.integers(0, 100), last=st.integers(1, 200))
def test_a_later_connection_resumes_after_the_newest_delivery(position: int, last: int) -> None:
    """If nothing was delivered after the first position, the client resumes after that position."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    receive(dialogue, event(type="subscribed", channel="c", seq=position))
    dialogue.lost(0)
    assert dialogue.state is State.CONNECTING
    assert json.loads(dialogue.connected())["since"] == position
    dialogue.lost(last)
    assert json.loads(dialogue.connected())["since"] == max(position, last)


def test_a_resume_is_confirmed_at_its_own_position() -> None:
    """A confirmation at another position is a violation. The client keeps its own position."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    receive(dialogue, event(type="subscribed", channel="c", seq=1))
    dialogue.lost(5)
    dialogue.connected()
    found = receive(dialogue, event(type="subscribed", channel="c", seq=100_000))
    assert (found.confirmed, kind(found)) == (True, IncidentKind.POSITION)
    dialogue.lost(0)
    assert json.loads(dialogue.connected())["since"] == 5


def test_a_connection_lost_before_its_subscription_starts_afresh() -> None:
    """A client that was never subscribed has nothing to resume."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    dialogue.lost(0)
    assert "since" not in json.loads(dialogue.connected())


def test_a_refusal_is_kept() -> None:
    """The dialogue keeps the server's reason. A refusal is no violation."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    assert receive(dialogue, event(type="error", error="too_many_channels", detail="64")) == Reaction(refused=True)
    assert "too_many_channels: 64" in dialogue.refusal


def test_an_unexpected_error_is_a_violation() -> None:
    """A live client has sent no command that could fail. A refused client already has its answer."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    receive(dialogue, event(type="subscribed", channel="c", seq=0))
    found = receive(dialogue, event(type="error", error="invalid_json", detail=""))
    assert (found.refused, kind(found), dialogue.state) == (False, IncidentKind.UNASKED, State.LIVE)
    refused = Dialogue("c", Chat())
    refused.connected()
    receive(refused, event(type="error", error="overloaded"))
    assert kind(receive(refused, event(type="error", error="overloaded"))) is IncidentKind.UNASKED


@given(st.text(max_size=50))
def test_any_text_is_survived(text: str) -> None:
    """Unknown text is a violation. It raises no error, confirms nothing, and does not prevent the subscription."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    if not text.strip().startswith("{"):
        assert kind(receive(dialogue, text.encode())) is IncidentKind.MALFORMED
    assert receive(dialogue, event(type="rumour", channel="c")).violation is not None
    assert receive(dialogue, event(type="subscribed", channel="c", seq=0)).confirmed


def test_only_the_confirmation_that_was_asked_for_counts() -> None:
    """A confirmation for another channel, a second confirmation and the end of a subscription are violations."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    assert kind(receive(dialogue, event(type="subscribed", channel="d", seq=0))) is IncidentKind.UNASKED
    assert dialogue.state is State.SUBSCRIBING
    assert receive(dialogue, event(type="subscribed", channel="c", seq=0)).confirmed
    again = receive(dialogue, event(type="subscribed", channel="c", seq=9))
    assert (again.confirmed, kind(again), dialogue.position) == (False, IncidentKind.UNASKED, 0)
    assert kind(receive(dialogue, event(type="unsubscribed", channel="c"))) is IncidentKind.UNASKED


def test_a_confirmation_behind_a_refusal_does_not_count() -> None:
    """The client gives the connection up after the refusal. A later confirmation on it does not make the client
    live."""
    dialogue = Dialogue("c", Chat())
    dialogue.connected()
    receive(dialogue, event(type="error", error="overloaded", detail="later"))
    assert not receive(dialogue, event(type="subscribed", channel="c", seq=1)).confirmed
    assert (dialogue.state, "overloaded" in dialogue.refusal) == (State.SUBSCRIBING, True)
    dialogue.lost(0)
    dialogue.connected()
    assert dialogue.refusal == ""
    assert receive(dialogue, event(type="subscribed", channel="c", seq=1)).confirmed


def test_a_protocol_may_open_with_a_greeting() -> None:
    """The client subscribes after the server's welcome. It resumes after the welcome too."""
    parrot = Parrot()
    dialogue = Dialogue("c", parrot)
    assert dialogue.connected() == b"hello"
    assert receive(dialogue, b"welcome", parrot) == Reaction(reply=b"join c now")
    assert receive(dialogue, b"joined c 3", parrot).confirmed
    dialogue.lost(5)
    assert dialogue.connected() == b"hello"
    assert receive(dialogue, b"welcome", parrot).reply == b"join c 5"


def test_a_ping_of_the_protocol_is_answered() -> None:
    """A ping before the confirmation is no violation."""
    parrot = Parrot()
    dialogue = Dialogue("c", parrot)
    dialogue.connected()
    assert receive(dialogue, b"ping", parrot) == Reaction(reply=b"pong")
