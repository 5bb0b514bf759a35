"""Two real servers, a real PostgreSQL and a real Valkey do what docs/protocol.md promises for a time without faults."""

import json
import re
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.reference_server.client import Client
from tests.reference_server.stack import TOKEN, Cluster, fresh, wait_until

pytestmark = pytest.mark.integration


def test_a_message_reaches_the_subscribers_of_every_server(cluster: Cluster) -> None:
    """Both servers deliver a message that was posted to one of them. The messages are in order of seq, and their texts
    are unchanged."""
    one, two = cluster.servers
    channel = fresh()
    with Client(one) as here, Client(two) as there:
        assert here.subscribe(channel) == there.subscribe(channel) == 0
        assert one.post(channel, 'first "quoted" ✓ \u2028 \\')[1] == {
            "ok": True,
            "channel": channel,
            "seq": 1,
            "duplicate": False,
        }
        assert two.post(channel, "second")[1]["seq"] == 2
        for client in (here, there):
            assert client.receive() == {
                "type": "message",
                "channel": channel,
                "seq": 1,
                "text": 'first "quoted" ✓ \u2028 \\',
            }
            assert client.receive()["text"] == "second"


def test_posting_again_makes_no_second_message(cluster: Cluster) -> None:
    """A second post with the same ``client_msg_id`` in the same channel gets the seq of the first message, from every
    server."""
    one, two = cluster.servers
    channel, other = fresh(), fresh()
    with Client(one) as client:
        client.subscribe(channel)
        assert one.post(channel, "a", "id-1")[1]["seq"] == 1
        again = two.post(channel, "a", "id-1")
        assert (again[0], again[1]["seq"], again[1]["duplicate"]) == (200, 1, True)
        assert two.post(other, "a", "id-1")[1] == {"ok": True, "channel": other, "seq": 1, "duplicate": False}
        assert one.post(channel, "b", "id-2")[1]["seq"] == 2
        assert client.texts(2) == ["a", "b"]
    assert cluster.postgres.sql(f"SELECT count(*) FROM messages WHERE channel = '{channel}'") == "2"


def test_a_subscription_starts_where_it_says(cluster: Cluster) -> None:
    """Without ``since`` the next message is ``seq + 1``. Earlier messages are not delivered."""
    one, two = cluster.servers
    channel = fresh()
    for text in ("a", "b"):
        one.post(channel, text)
    with Client(two) as client:
        assert client.subscribe(channel) == 2
        one.post(channel, "c")
        assert client.receive()["seq"] == 3


def test_a_resume_brings_everything_missed_and_goes_on_live(cluster: Cluster) -> None:
    """With ``since`` the client gets every later message once and in order, from either server. The missed messages may
    need several pages."""
    one, two = cluster.servers
    channel = fresh()
    cluster.postgres.sql(
        f"SELECT append_messages(array_fill('{channel}'::text, ARRAY[500]), "
        "(SELECT array_agg('old ' || n) FROM generate_series(1, 500) n), array_fill(NULL::text, ARRAY[500]))"
    )
    with Client(two) as client:
        assert client.subscribe(channel, since=120) == 120
        one.post(channel, "new")
        assert client.texts(381) == [*(f"old {n}" for n in range(121, 501)), "new"]
    with Client(one) as client:
        assert client.subscribe(channel, since=501) == 501
        two.post(channel, "newer")
        assert client.texts(1) == ["newer"]


def test_resuming_while_messages_stream_in_loses_and_repeats_nothing(cluster: Cluster) -> None:
    """Four clients leave and resume in the middle of a stream. Each client receives 1, 2, 3 … to the end."""
    one, two = cluster.servers
    channel, count = fresh(), 150
    seen: dict[int, list[int]] = {}
    clients = {}
    for number in range(4):
        clients[number] = Client((one, two)[number % 2])
        clients[number].subscribe(channel, since=0)
        seen[number] = []
    for n in range(count):
        (one, two)[n % 2].post(channel, str(n))
        if n % 10 == 5:
            number = (n // 10) % 4
            seen[number] += [clients[number].receive()["seq"] for _ in range(n // 3 - len(seen[number]))]
            clients[number].close()
            clients[number] = Client((two, one)[number % 2])
            last = seen[number][-1] if seen[number] else 0
            assert clients[number].subscribe(channel, since=last) == last
    for number, client in clients.items():
        seen[number] += [client.receive()["seq"] for _ in range(count - len(seen[number]))]
        assert seen[number] == list(range(1, count + 1))
        client.close()


def test_impossible_resumes_are_refused(cluster: Cluster) -> None:
    """A ``since`` beyond the channel's newest seq, or too far behind it, gets ``invalid_request``. The connection stays
    open."""
    one, _ = cluster.servers
    channel = fresh()
    cluster.postgres.sql(f"INSERT INTO channels (name, last_seq) VALUES ('{channel}', 10001)")
    with Client(one) as client:
        for since in (10_002, 0):
            client.send(op="subscribe", channel=channel, since=since)
            event = client.receive()
            assert (event["type"], event["error"]) == ("error", "invalid_request")
        assert client.subscribe(channel) == 10_001


def test_unsubscribing_ends_delivery(cluster: Cluster) -> None:
    """After ``unsubscribed`` no message of the channel follows. Other channels continue. The client may subscribe
    again."""
    one, _ = cluster.servers
    left, kept = fresh(), fresh()
    with Client(one) as client:
        client.subscribe(left)
        client.subscribe(kept)
        client.send(op="unsubscribe", channel=left)
        assert client.receive() == {"type": "unsubscribed", "channel": left}
        one.post(left, "not published")
        one.post(kept, "published")
        assert client.receive()["text"] == "published"
        assert client.subscribe(left) == 1


def test_bad_commands_are_answered_and_the_connection_stays_open(cluster: Cluster) -> None:
    """Each bad command gets its error. The subscriptions of the connection continue."""
    one, _ = cluster.servers
    channel = fresh()
    with Client(one) as client:
        client.subscribe(channel)
        for frame, error in (
            ("{", "invalid_json"),
            ("[]", "invalid_json"),
            (b"\x00", "invalid_json"),
            ('{"op": "shout", "channel": "c"}', "invalid_request"),
            ('{"op": "subscribe", "channel": "no spaces"}', "invalid_request"),
            (json.dumps({"op": "subscribe", "channel": channel}), "invalid_request"),
        ):
            client.socket.send(frame)
            event = client.receive()
            assert (event["type"], event["error"]) == ("error", error), frame
        one.post(channel, "still here")
        assert client.receive()["text"] == "still here"


def test_the_channels_of_one_connection_are_limited(cluster: Cluster) -> None:
    """The default limit is 64. The 65th subscription is refused, and is accepted after an unsubscription."""
    one, _ = cluster.servers
    channels = [fresh() for _ in range(65)]
    with Client(one) as client:
        for channel in channels[:64]:
            client.subscribe(channel)
        client.send(op="subscribe", channel=channels[64])
        assert client.receive()["error"] == "too_many_channels"
        client.send(op="unsubscribe", channel=channels[0])
        assert client.receive()["type"] == "unsubscribed"
        client.subscribe(channels[64])


def test_a_frame_that_is_too_big_ends_the_connection(cluster: Cluster) -> None:
    """A frame over 4,096 bytes gets 1009. A frame of exactly 4,096 bytes is read as a command."""
    one, _ = cluster.servers
    with Client(one) as client:
        client.socket.send("x" * 4_096)
        assert client.receive()["error"] == "invalid_json"
        client.socket.send("x" * 4_097)
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


def test_the_token_guards_every_route(cluster: Cluster) -> None:
    """Without the right token the answer is 401 in JSON, for known and unknown routes and for the handshake."""
    one, _ = cluster.servers
    for path in ("/healthz", "/readyz", "/metrics", "/v1/trace", "/v1/conversations.history?channel=c", "/nowhere"):
        status, answer = one.request("GET", path, token="wrong") if path != "/metrics" else (401, None)
        assert status == 401
        assert answer is None or (answer["ok"], answer["error"]) == (False, "unauthorized")
    assert one.request("POST", "/v1/chat.postMessage", b"{}", token="")[1]["error"] == "unauthorized"
    with pytest.raises(InvalidStatus) as caught:
        Client(one, token="wrong")
    assert caught.value.response.status_code == 401
    assert json.loads(caught.value.response.body)["error"] == "unauthorized"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b'{"channel": "c"}', 400, "invalid_request"),
        (b'{"channel": "c", "text": ""}', 400, "invalid_request"),
        (b'{"channel": "c", "text": "\\u0000"}', 400, "invalid_request"),
        (b'{"channel": "c", "text": "' + b"x" * 16_385 + b'"}', 400, "invalid_request"),
        (b" " * 65_537, 413, "too_large"),
    ],
)
def test_bad_posts_are_refused(cluster: Cluster, body: bytes, status: int, error: str) -> None:
    """Each bad post gets the status and the error code of the protocol."""
    answer = cluster.servers[0].request("POST", "/v1/chat.postMessage", body)
    assert (answer[0], answer[1]["ok"], answer[1]["error"]) == (status, False, error)


def test_requests_that_come_together_are_answered_in_order(cluster: Cluster) -> None:
    """Several posts arrive on one connection in one write."""
    one, _ = cluster.servers
    channel = fresh()
    body = b'{"channel": "%s", "text": "x"}' % channel.encode()
    head = b"POST /v1/chat.postMessage HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", one.port), timeout=10) as connection:
        connection.sendall((head % (TOKEN.encode(), len(body)) + body) * 3)
        heard = b""
        while heard.count(b'"duplicate"') < 3:
            heard += connection.recv(4_096)
    assert re.findall(rb'"seq":(\d+)', heard) == [b"1", b"2", b"3"]


def test_unknown_routes_and_methods(cluster: Cluster) -> None:
    """The answer is 404 or 405, in JSON like every failure."""
    one, _ = cluster.servers
    assert (one.get("/nowhere")[0], one.get("/nowhere")[1]["error"]) == (404, "not_found")
    assert one.get("/v1/chat.postMessage")[1]["error"] == "method_not_allowed"
    assert one.request("POST", "/healthz")[1]["error"] == "method_not_allowed"
    assert one.get("/v1/ws")[0] == 404


def test_history_is_what_was_committed(cluster: Cluster) -> None:
    """The answer has at most ``limit`` messages after ``since``, in order. An unknown channel is empty. Invalid queries
    are refused."""
    one, two = cluster.servers
    channel = fresh()
    for n in range(5):
        one.post(channel, f"text {n}")
    path = f"/v1/conversations.history?channel={channel}"
    assert two.get(f"{path}&since=1&limit=2")[1] == {
        "ok": True,
        "channel": channel,
        "messages": [{"seq": 2, "text": "text 1"}, {"seq": 3, "text": "text 2"}],
        "last_seq": 5,
    }
    assert len(two.get(path)[1]["messages"]) == 5
    empty = one.get(f"/v1/conversations.history?channel={fresh()}")[1]
    assert (empty["messages"], empty["last_seq"]) == ([], 0)
    for query in ("", "?channel=a b", f"?channel={channel}&limit=0", f"?channel={channel}&since=-1"):
        assert one.get(f"/v1/conversations.history{query.replace(' ', '%20')}")[1]["error"] == "invalid_request"


def test_the_trace_follows_a_message(cluster: Cluster) -> None:
    """The times are accepted ≤ committed ≤ published, and committed ≤ received ≤ written. Both servers use one clock.
    The row also has the number of sockets."""
    one, two = cluster.servers
    channel = fresh()
    with Client(two) as first, Client(two) as second:
        first.subscribe(channel)
        second.subscribe(channel)
        started = time.monotonic_ns()
        one.post(channel, "x")
        first.receive()
        second.receive()
        heard = time.monotonic_ns()

    def rows(server: int, part: str) -> list[list[object]]:
        answer = cluster.servers[server].get(f"/v1/trace?part={part}&limit=100000")[1]
        assert (answer["part"], answer["offset"], answer["dropped"]) == (part, 0, 0)
        assert answer["total"] == len(answer["rows"])
        return [row for row in answer["rows"] if row[0] == channel]

    ((_, seq, accepted, committed, published),) = rows(0, "accepted")
    ((_, seq_written, received, written, sockets, source),) = wait_until(lambda: rows(1, "delivered"), "the trace")
    assert (seq, seq_written, sockets, source) == (1, 1, 2, "live")
    assert started <= accepted <= committed <= published <= heard
    assert committed <= received <= written <= heard + 1_000_000_000
    assert rows(1, "accepted") == []
    assert one.get("/v1/trace?part=rumours")[1]["error"] == "invalid_request"


def test_metrics_count_what_happened(cluster: Cluster) -> None:
    """Posts are counted by outcome. Deliveries are counted once for each socket."""
    one, _ = cluster.servers
    channel = fresh()
    before = one.metric("deliveries_total")
    with Client(one) as client:
        client.subscribe(channel)
        one.post(channel, "x")
        client.receive()
        wait_until(lambda: one.metric("deliveries_total") == before + 1, "the delivery to be counted")
        assert one.metric("connections") >= 1
    assert 'posts_total{outcome="ok"}' in one.get("/metrics")[1]
