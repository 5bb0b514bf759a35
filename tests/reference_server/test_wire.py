import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from reference_server.settings import Limits
from reference_server.wire import Refused, Requests, message_frame, text_frame

REQUESTS = Requests(Limits())


def post(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def refusal_of(body: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        REQUESTS.post(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"channel":"a","text":"\xff"}', b'{"channel":"a","text":"x"}{'],
)
def test_what_is_no_json_object_is_invalid_json(body: bytes) -> None:
    """Everything but one JSON object in UTF-8 is ``invalid_json``."""
    assert refusal_of(body).code == "invalid_json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (post(text="x"), "channel"),
        (post(channel="a"), "text"),
        (post(channel=1, text="x"), "channel"),
        (post(channel="", text="x"), "channel"),
        (post(channel="a" * 129, text="x"), "channel"),
        (post(channel="a b", text="x"), "channel"),
        (post(channel="a\n", text="x"), "channel"),
        (post(channel="é", text="x"), "channel"),
        (post(channel="a", text=""), "text"),
        (post(channel="a", text="x" * 16_385), "text"),
        (post(channel="a", text="é" * 8_193), "text"),
        (post(channel="a", text="a\0b"), "text"),
        (post(channel="a", text={}), "text"),
        (post(channel="a", text="x", client_msg_id=""), "client_msg_id"),
        (post(channel="a", text="x", client_msg_id="a" * 65), "client_msg_id"),
        (post(channel="a", text="x", client_msg_id="ü"), "client_msg_id"),
        (post(channel="a", text="x", client_msg_id=7), "client_msg_id"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(body: bytes, field: str) -> None:
    """A missing field, a wrong type, a broken limit: ``invalid_request``, and ``detail`` names the field."""
    refusal = refusal_of(body)
    assert (refusal.status, refusal.code) == (400, "invalid_request")
    assert field in refusal.detail


def test_limits_are_inclusive_and_unknown_fields_ignored() -> None:
    """What is exactly at a limit passes; text is counted in bytes of UTF-8, not in characters."""
    assert REQUESTS.post(post(channel="a" * 128, text="x" * 16_384, client_msg_id="a" * 64, more=1)).client_msg_id
    assert REQUESTS.post(post(channel="AZaz09._:-", text="é" * 8_192, client_msg_id=None)).client_msg_id is None


@pytest.mark.parametrize(
    "frame",
    [
        '{"op": "publish", "channel": "a"}',
        '{"op": "subscribe"}',
        '{"op": "subscribe", "channel": "a", "since": -1}',
        '{"op": "subscribe", "channel": "a", "since": 1.5}',
        '{"op": "subscribe", "channel": "a", "since": 9223372036854775808}',
    ],
)
def test_a_command_that_breaks_a_rule_is_refused(frame: str) -> None:
    """Unknown operations and impossible positions are ``invalid_request``."""
    with pytest.raises(Refused) as caught:
        REQUESTS.command(frame)
    assert caught.value.code == "invalid_request"


def read_back(frame: bytes) -> Frame:
    """The frame as an independent implementation reads it."""
    client = ClientProtocol(parse_uri("ws://host/"), state=OPEN)
    client.receive_data(frame)
    (event,) = client.events_received()
    assert isinstance(event, Frame)
    return event


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_frames_of_every_length_are_read_back(size: int) -> None:
    """The three encodings of a length meet without a seam at 125/126 and 65,535/65,536 bytes."""
    frame = read_back(text_frame(b"x" * size))
    assert (frame.fin, frame.opcode, bytes(frame.data)) == (True, 1, b"x" * size)


@given(st.text(min_size=1))
def test_a_message_is_delivered_character_by_character(text: str) -> None:
    """Whatever text PostgreSQL can store arrives as it was posted."""
    event = json.loads(bytes(read_back(message_frame("general", 43, text)).data))
    assert event == {"type": "message", "channel": "general", "seq": 43, "text": text}
