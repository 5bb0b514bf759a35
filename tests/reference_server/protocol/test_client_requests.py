import json

import pytest

from reference_server.protocol.client_requests import Refused, Requests
from reference_server.protocol.protocol_limits import Limits

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
    """A body that is not one JSON object in UTF-8 is ``invalid_json``."""
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
    """A field is missing, has a wrong type, or breaks a limit. The error is ``invalid_request``, and ``detail`` names
    the field."""
    refusal = refusal_of(body)
    assert (refusal.status, refusal.code) == (400, "invalid_request")
    assert field in refusal.detail


def test_limits_are_inclusive_and_unknown_fields_ignored() -> None:
    """A value at its limit passes. A text is counted in bytes of UTF-8, not in characters."""
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
