"""Each statement of docs/protocol.md about commands, events, frames and close codes has its test here."""

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
    """A refused command gets an event too. ``null`` means that ``since`` is not given. Unknown fields are ignored."""
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
    """The command is refused as invalid_json, and the connection stays open."""
    client.send_frame(TEXT, payload)
    assert client.event()["error"] == "invalid_json"
    client.send({"op": "subscribe", "channel": fresh()})
    assert client.event()["type"] == "subscribed"


def test_a_binary_message_is_no_command(client: RawClient) -> None:
    """The server refuses it even if it contains a valid command."""
    client.send_frame(BINARY, b'{"op": "subscribe", "channel": "a"}')
    assert client.event()["error"] == "invalid_json"


@pytest.mark.parametrize(
    "fields",
    [{"channel": None}, {"channel": "a b"}, {"channel": "x" * 129}, {"op": None}, {"op": "dance"}]
    + [{"since": since} for since in (-1, 1.0, "1", True, 2**63, 10**30, 1)],
)
def test_a_command_that_breaks_a_limit(client: RawClient, fields: dict[str, Any]) -> None:
    """The error is invalid_request, also for a ``since`` beyond the newest seq. The newest seq of an empty channel is
    0."""
    client.send({"op": "subscribe", "channel": fresh(), **fields})
    assert client.event()["error"] == "invalid_request"


def test_one_connection_has_64_channels(client: RawClient) -> None:
    """The 65th channel is refused until the client unsubscribes from another one."""
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
    """A ``since`` that is 10,001 messages behind is refused. With an allowed ``since`` the client gets every later
    message."""
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
    """Control frames may come between the fragments. The server answers a ping with the payload of the ping."""
    channel = fresh()
    client.send_frame(TEXT, b'{"op": "subscribe",', final=False)
    client.send_frame(PING, b"payload")
    client.send_frame(CONTINUATION, f'"channel": "{channel}"}}'.encode())
    assert client.frame() == (PONG, b"payload")
    assert client.event() == {"type": "subscribed", "channel": channel, "seq": 0}


def test_a_message_of_the_client_has_4096_bytes(server: Server) -> None:
    """The limit counts all frames of the message together. One byte more ends the connection with 1009."""
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
    """JSON needs six bytes for a control character, and 10,800 of them still fit in one frame. Every character arrives
    unchanged."""
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
    """RFC 6455 forbids each of these frames."""
    send(client)
    assert client.close_code() == 1002


def test_text_that_is_not_utf8_is_closed_with_1007(client: RawClient) -> None:
    """The wrong byte may be in a later fragment. The mistake is the client's, so the server logs no traceback."""
    client.send_frame(TEXT, b"{", final=False)
    client.send_frame(CONTINUATION, b"\xff")
    assert client.close_code() == 1007


@pytest.mark.parametrize("payload", [b"", (1000).to_bytes(2), (4999).to_bytes(2) + b"bye"])
def test_a_close_frame_is_answered_with_its_code(client: RawClient, payload: bytes) -> None:
    """Then the server ends the connection."""
    client.send_frame(CLOSE, payload)
    assert client.close_code() == (int.from_bytes(payload[:2]) if payload else None)
