"""docs/protocol.md, sentence by sentence: commands, events, frames and close codes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.reference_server.raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, connected
from tests.reference_server.stack import Cluster, Server, fresh

pytestmark = pytest.mark.integration


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return cluster.servers[0]


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server, websocket=True) as client:
        yield client


def test_each_command_gets_one_event_in_order(client: RawClient) -> None:
    """Also the commands that are refused; ``null`` means without ``since``; unknown fields are ignored."""
    channel = fresh()
    client.send({"op": "subscribe", "channel": channel, "since": None, "odd": 1})
    client.send({"op": "dance", "channel": channel})
    client.send({"op": "subscribe", "channel": channel})
    client.send({"op": "unsubscribe", "channel": channel})
    client.send({"op": "unsubscribe", "channel": channel})
    assert client.event() == {"type": "subscribed", "channel": channel, "seq": 0}
    for _ in range(2):
        refused = client.event()
        assert (refused["type"], refused["error"]) == ("error", "invalid_request")
        assert refused["detail"]
    for _ in range(2):
        assert client.event() == {"type": "unsubscribed", "channel": channel}


@pytest.mark.parametrize("payload", [b"", b"x", b"[]", b"null", b'"x"', b"{"])
def test_a_command_that_is_no_json_object(client: RawClient, payload: bytes) -> None:
    """It is refused as invalid_json, and the connection stays open."""
    client.send_frame(TEXT, payload)
    assert client.event()["error"] == "invalid_json"
    client.send({"op": "subscribe", "channel": fresh()})
    assert client.event()["type"] == "subscribed"


def test_a_binary_message_is_no_command(client: RawClient) -> None:
    """Whatever is in it."""
    client.send_frame(BINARY, b'{"op": "subscribe", "channel": "a"}')
    assert client.event()["error"] == "invalid_json"


@pytest.mark.parametrize(
    "fields",
    [{"channel": None}, {"channel": "a b"}, {"channel": "x" * 129}, {"op": None}, {"op": "dance"}]
    + [{"since": since} for since in (-1, 1.0, "1", True, 2**63, 10**30, 1)],
)
def test_a_command_that_breaks_a_limit(client: RawClient, fields: dict[str, Any]) -> None:
    """invalid_request: also ``since`` beyond the newest seq, which is 0 in an empty channel."""
    client.send({"op": "subscribe", "channel": fresh(), **fields})
    assert client.event()["error"] == "invalid_request"


def test_one_connection_has_64_channels(client: RawClient) -> None:
    """One more is refused until another one is given up."""
    channels = [fresh() for _ in range(65)]
    for channel in channels:
        client.send({"op": "subscribe", "channel": channel})
    events = [client.event() for _ in channels]
    assert [event["type"] for event in events[:64]] == ["subscribed"] * 64
    assert events[64]["error"] == "too_many_channels"
    client.send({"op": "unsubscribe", "channel": channels[0]})
    client.send({"op": "subscribe", "channel": channels[64]})
    assert [client.event()["type"], client.event()["type"]] == ["unsubscribed", "subscribed"]


def test_since_may_lie_10000_messages_behind(cluster: Cluster, client: RawClient) -> None:
    """One more is refused. Nothing after ``since`` is left out."""
    channel = fresh()
    cluster.postgres.sql(
        f"SELECT append_messages(array_fill('{channel}'::text, ARRAY[10001]), "
        "array_fill('x'::text, ARRAY[10001]), array_fill(NULL::text, ARRAY[10001]))"
    )
    client.send({"op": "subscribe", "channel": channel, "since": 0})
    assert client.event()["error"] == "invalid_request"
    client.send({"op": "subscribe", "channel": channel, "since": 1})
    assert client.event() == {"type": "subscribed", "channel": channel, "seq": 1}
    assert [client.event()["seq"] for _ in range(10_000)] == list(range(2, 10_002))


def test_a_command_may_be_split_into_fragments(client: RawClient) -> None:
    """With control frames in between; a ping is answered with its own payload."""
    channel = fresh()
    client.send_frame(TEXT, b'{"op": "subscribe",', final=False)
    client.send_frame(PING, b"payload")
    client.send_frame(CONTINUATION, f'"channel": "{channel}"}}'.encode())
    assert client.frame() == (PONG, b"payload")
    assert client.event() == {"type": "subscribed", "channel": channel, "seq": 0}


def test_a_message_of_the_client_has_4096_bytes(server: Server) -> None:
    """All its frames together. One byte more ends the connection with 1009."""
    command = b'{"op": "unsubscribe", "channel": "a"}'
    with connected(server, websocket=True) as client:
        client.send_frame(TEXT, command.ljust(4_096))
        assert client.event()["type"] == "unsubscribed"
        client.send_frame(TEXT, command.ljust(4_097))
        assert client.close_code() == 1009
    with connected(server, websocket=True) as client:
        client.send_frame(TEXT, command.ljust(4_000), final=False)
        client.send_frame(CONTINUATION, b" " * 97)
        assert client.close_code() == 1009


def test_a_message_of_the_server_is_one_frame_of_bounded_size(server: Server, client: RawClient) -> None:
    """JSON writes a control character with six bytes; a character is never changed."""
    channel = fresh().ljust(128, "x")
    client.send({"op": "subscribe", "channel": channel})
    client.event()
    assert server.post(channel, "\x01" * 10_800)[0] == 200
    opcode, payload = client.frame()
    assert opcode == TEXT
    assert 6 * 10_800 < len(payload) < 131_072
    server.post(channel, "\u2028 é \U0001f600")
    assert client.event()["text"] == "\u2028 é \U0001f600"


@pytest.mark.parametrize(
    "send",
    [
        lambda client: client.send_frame(TEXT, b"{}", masked=False),
        lambda client: client.send_frame(TEXT, b"{}", rsv=0x40),
        lambda client: client.send_frame(3, b""),
        lambda client: client.send_frame(CONTINUATION, b"x"),
        lambda client: client.send_frame(PING, b"x" * 126),
        lambda client: client.send_frame(PING, b"x", final=False),
        lambda client: client.send_frame(CLOSE, b"x"),
        lambda client: client.send_frame(CLOSE, (1005).to_bytes(2)),
    ],
    ids=[
        "unmasked",
        "reserved bit",
        "reserved opcode",
        "continuation",
        "long ping",
        "split ping",
        "short close",
        "code",
    ],
)
def test_a_client_that_breaks_the_framing_is_closed_with_1002(
    client: RawClient, send: Callable[[RawClient], None]
) -> None:
    """RFC 6455."""
    send(client)
    assert client.close_code() == 1002


def test_text_that_is_not_utf8_is_closed_with_1007(client: RawClient) -> None:
    """Also where the wrong byte is in a later fragment. It is the client's mistake: no traceback is logged."""
    client.send_frame(TEXT, b"{", final=False)
    client.send_frame(CONTINUATION, b"\xff")
    assert client.close_code() == 1007


@pytest.mark.parametrize("payload", [b"", (1000).to_bytes(2), (4999).to_bytes(2) + b"bye"])
def test_a_close_frame_is_answered_with_its_code(client: RawClient, payload: bytes) -> None:
    """Then the server ends the connection."""
    client.send_frame(CLOSE, payload)
    assert client.close_code() == (int.from_bytes(payload[:2]) if payload else None)
