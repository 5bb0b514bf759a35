"""Each statement of docs/protocol.md about requests and answers has its test here."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reference_server import stack
from tests.reference_server.raw_client import AUTHORIZED, UPGRADE, RawClient, connected
from tests.reference_server.stack import TOKEN, Cluster, Postgres, Server, fresh

pytestmark = pytest.mark.integration

POST, HISTORY = "/v1/chat.postMessage", "/v1/conversations.history"


@pytest.fixture
def server(cluster: Cluster) -> Server:
    return cluster.servers[0]


@pytest.fixture
def client(server: Server) -> Iterator[RawClient]:
    with connected(server) as client:
        yield client


def post(client: RawClient, **fields: Any) -> Any:
    return client.request("POST", POST, AUTHORIZED, body=json.dumps(fields).encode())


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", f"bearer {TOKEN}", TOKEN, f"Basic {TOKEN}", f"Bearer  {TOKEN}"]
)
def test_the_token_comes_before_everything_else(client: RawClient, header: str | None) -> None:
    """Without the right token, the answer is 401 for a known route, an unknown route, a wrong method and a
    handshake."""
    headers = () if header is None else (f"Authorization: {header}",)
    for method, path in (("GET", "/healthz"), ("GET", "/nowhere"), ("DELETE", POST)):
        refused = client.request(method, path, *headers)
        assert (refused.status, refused.code) == (401, "unauthorized")
    refused = client.request("GET", "/v1/ws", *headers, *UPGRADE)
    assert (refused.status, refused.code, client.at_end()) == (401, "unauthorized", True)


@pytest.mark.parametrize("path", ["/nowhere", "/", "/healthz/", f"{POST}/", "/v1/ws", "/v1/ws?x=1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_such_route(client: RawClient, method: str, path: str) -> None:
    """The answer is 404 in JSON. This includes a known route with a slash at its end, and /v1/ws without a
    handshake."""
    refused = client.request(method, path, AUTHORIZED, body=b"{}")
    assert (refused.status, refused.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", POST), ("PUT", POST), ("POST", HISTORY), ("DELETE", "/healthz"), ("POST", "/v1/trace")),
        *(("POST", "/metrics"), ("GET", "/v1/rebroadcast"), ("POST", "/readyz")),
    ],
)
def test_not_with_this_method(client: RawClient, method: str, path: str) -> None:
    """The answer is 405 in JSON."""
    refused = client.request(method, path, AUTHORIZED, body=b"{}")
    assert (refused.status, refused.code) == (405, "method_not_allowed")


def test_head_is_get_without_a_body(client: RawClient) -> None:
    """The status and the headers are the same as for GET."""
    answers = [client.request(method, f"{HISTORY}?channel=a", AUTHORIZED) for method in ("GET", "HEAD")]
    shown = [(a.status, a.headers["content-type"], a.headers["content-length"]) for a in answers]
    assert shown[0] == shown[1]
    assert answers[1].content == b""


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", UPGRADE[:2] + UPGRADE[3:], 400),
        ("GET", (*UPGRADE[:3], "Sec-WebSocket-Version: 8"), 400),
        ("POST", UPGRADE, 405),
    ],
)
def test_a_handshake_that_is_none_is_refused_in_plain_text(
    client: RawClient, method: str, headers: tuple[str, ...], status: int
) -> None:
    """The server refuses an invalid handshake before it looks at the token. Then it closes the connection."""
    refused = client.request(method, "/v1/ws", *headers)
    assert (refused.status, client.at_end()) == (status, True)
    assert refused.headers["content-type"].startswith("text/plain")


def test_what_is_no_http_is_refused_in_plain_text(client: RawClient) -> None:
    """The answer is 400, and the server closes the connection."""
    client.write(b"garbage\r\n\r\n")
    refused = client.answer()
    assert (refused.status, client.at_end()) == (400, True)
    assert refused.headers["content-type"].startswith("text/plain")


def test_a_handshake_at_another_path_is_refused_in_json(client: RawClient) -> None:
    """The answer is 404, and the server closes the connection."""
    refused = client.request("GET", "/v1/nowhere", AUTHORIZED, *UPGRADE)
    assert (refused.status, refused.code, client.at_end()) == (404, "not_found", True)


def test_a_body_may_come_in_chunks(client: RawClient) -> None:
    """The server accepts such a body with any Content-Type."""
    body = json.dumps({"channel": fresh(), "text": "hello"}).encode()
    head = f"POST {POST} HTTP/1.1\r\nHost: test\r\n{AUTHORIZED}\r\nContent-Type: text/odd\r\n"
    client.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    client.write(b"5\r\n" + body[:5] + b"\r\n%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n")
    assert client.answer().body["seq"] == 1


def test_answers_come_in_order_and_the_connection_stays_open(client: RawClient) -> None:
    """A request with Connection: close ends the connection after its answer."""
    channel = fresh()
    body = json.dumps({"channel": channel, "text": "x"}).encode()
    request = (
        f"POST {POST} HTTP/1.1\r\nHost: test\r\n{AUTHORIZED}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    client.write(request * 3)
    assert [client.answer().body["seq"] for _ in range(3)] == [1, 2, 3]
    assert client.request("POST", POST, AUTHORIZED, "Connection: close", body=body).body["seq"] == 4
    assert client.at_end()


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b'"x"',
            b"null",
            b"\xff",
            b"{",
            b'{"channel":"a","text":"x"} x',
            b'{"channel":"a","text":"\xff"}',
        ),
        *(b'\xef\xbb\xbf{"channel":"a","text":"x"}', b'{"channel":"a","text":"\\ud800"}'),
    ],
)
def test_a_body_that_is_no_json_object(client: RawClient, body: bytes) -> None:
    """The answer is 400 invalid_json. A byte order mark, invalid UTF-8 and half of a surrogate pair get it too."""
    refused = client.request("POST", POST, AUTHORIZED, body=body)
    assert (refused.status, refused.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("channel", [None, 1, "", "a b", "ä", "a/b", "x" * 129]),
        ("text", [None, 1, "", "\0", "x" * 16_385, "é" * 8_193]),
        ("client_msg_id", [1, "", "a b", "x" * 65]),
    ],
)
def test_a_field_that_breaks_a_limit(client: RawClient, field: str, values: list[Any]) -> None:
    """The answer is 400 invalid_request, and the detail names the field. ``null`` for a required field is a wrong
    type."""
    for value in values:
        refused = post(client, **{"channel": "a", "text": "x", field: value})
        assert (refused.status, refused.code) == (400, "invalid_request"), value
        assert field in refused.body["detail"]


def test_the_longest_that_the_limits_allow(client: RawClient) -> None:
    """A value at its limit is accepted. A body with one byte more gets 413 too_large."""
    channel = fresh().ljust(128, "x")
    assert post(client, channel=channel, text="é" * 8_192, client_msg_id="x" * 64).status == 200
    padding = b" " * 65_536
    body = json.dumps({"channel": channel, "text": "x"}).encode()
    assert client.request("POST", POST, AUTHORIZED, body=(body + padding)[:65_536]).status == 200
    refused = client.request("POST", POST, AUTHORIZED, body=(body + padding)[:65_537])
    assert (refused.status, refused.code) == (413, "too_large")


def test_unknown_fields_are_ignored_and_the_last_of_two_counts(client: RawClient) -> None:
    """This holds for bodies and for queries."""
    channel = fresh()
    body = f'{{"odd": 1, "channel": "another", "channel": "{channel}", "text": "x", "client_msg_id": null}}'
    assert client.request("POST", POST, AUTHORIZED, body=body.encode()).body["channel"] == channel
    found = client.request("GET", f"{HISTORY}?odd=1&channel=another&channel={channel}", AUTHORIZED)
    assert found.body["last_seq"] == 1


def test_only_the_id_makes_a_duplicate(client: RawClient) -> None:
    """A second text with the same id is not stored. A message without an id, or with ``null``, is never a duplicate."""
    channel = fresh()
    posted = [post(client, channel=channel, text=text, client_msg_id="7").body for text in ("first", "second")]
    assert [(each["seq"], each["duplicate"]) for each in posted] == [(1, False), (1, True)]
    for _ in range(2):
        assert post(client, channel=channel, text="third", client_msg_id=None).body["duplicate"] is False
    stored = client.request("GET", f"{HISTORY}?channel={channel}", AUTHORIZED).body["messages"]
    assert [each["text"] for each in stored] == ["first", "third", "third"]


def test_history_pages(client: RawClient) -> None:
    """A page has at most ``limit`` messages after ``since``, in order. It is empty beyond the newest message and in an
    empty channel."""
    channel = fresh()
    for n in range(5):
        post(client, channel=channel, text=str(n))

    def page(query: str) -> tuple[list[int], int]:
        body = client.request("GET", f"{HISTORY}?channel={query}", AUTHORIZED).body
        assert (body["ok"], body["channel"]) == (True, query.split("&")[0])
        return [each["seq"] for each in body["messages"]], body["last_seq"]

    assert page(channel) == ([1, 2, 3, 4, 5], 5)
    assert page(f"{channel}&since=1&limit=2") == ([2, 3], 5)
    assert page(f"{channel}&since=5") == page(f"{channel}&since=99") == page(f"{channel}&since={2**63 - 1}") == ([], 5)
    assert page(fresh()) == ([], 0)


@pytest.mark.parametrize(
    "query",
    [
        *("", "channel=", "channel=a/b", *(f"channel=a&since={since}" for since in ("-1", "", "1.0", 2**63))),
        *(f"channel=a&limit={limit}" for limit in (0, 1_001, "x")),
    ],
)
def test_history_refuses_what_is_out_of_range(client: RawClient, query: str) -> None:
    """The answer is 400 invalid_request."""
    refused = client.request("GET", f"{HISTORY}?{query}", AUTHORIZED)
    assert (refused.status, refused.code) == (400, "invalid_request")


def test_trace_pages(client: RawClient) -> None:
    """A page has at most ``limit`` rows from ``offset`` on. It is empty beyond ``total``."""
    post(client, channel=fresh(), text="x")
    post(client, channel=fresh(), text="x")
    page = client.request("GET", "/v1/trace?part=accepted&offset=1&limit=1", AUTHORIZED).body
    assert (page["ok"], page["part"], page["offset"], len(page["rows"]), page["dropped"]) == (True, "accepted", 1, 1, 0)
    channel, seq, accepted, committed, published = page["rows"][0]
    assert isinstance(channel, str)
    assert seq >= 1
    assert 0 < accepted <= committed <= published
    beyond = client.request("GET", f"/v1/trace?part=accepted&offset={page['total'] + 9}", AUTHORIZED).body
    assert (beyond["rows"], beyond["total"] >= 2) == ([], True)
    states = client.request("GET", "/v1/trace?part=backplane", AUTHORIZED).body["rows"]
    assert [state for state, _ in states][:2] == ["up", "subscribed"]


@pytest.mark.parametrize(
    "query", ["", "part=odd", *(f"part=accepted&{rest}" for rest in ("limit=0", "limit=100001", "offset=-1"))]
)
def test_trace_refuses_what_is_out_of_range(client: RawClient, query: str) -> None:
    """The answer is 400 invalid_request."""
    refused = client.request("GET", f"/v1/trace?{query}", AUTHORIZED)
    assert (refused.status, refused.code) == (400, "invalid_request")


def test_rebroadcast(client: RawClient) -> None:
    """A channel without subscribers on this server is not checked. An invalid channel name is refused."""
    found = client.request("POST", f"/v1/rebroadcast?channel={fresh()}", AUTHORIZED)
    assert found.body == {"ok": True, "channels": 0, "messages": 0}
    refused = client.request("POST", "/v1/rebroadcast?channel=", AUTHORIZED)
    assert (refused.status, refused.code) == (400, "invalid_request")


def test_watching(client: RawClient) -> None:
    """Health, readiness and metrics have the documented form."""
    health = client.request("GET", "/healthz", AUTHORIZED).body
    assert set(health) == {"ok", "clock"}
    assert set(health["clock"]) == {"boot_id", "time_namespace"}
    ready = client.request("GET", "/readyz", AUTHORIZED).body
    assert ready == {"ok": True, "database": "up", "backplane": "up"}
    metrics = client.request("GET", "/metrics", AUTHORIZED)
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# TYPE " in metrics.content


@pytest.mark.parametrize("backplane", ["postgres-notify", "postgres-poll"])
def test_the_trace_counts_what_no_client_of_the_server_needs(postgres: Postgres, backplane: str) -> None:
    """These backplanes bring every message to every server. `received` counts it, also if no client here wants its
    channel."""
    with stack.folder() as folder:
        server = Server(folder, "alone", postgres=postgres.settings, backplane={"name": backplane})
        server.start()
        try:
            with connected(server) as client:
                deadline_s = time.monotonic() + 10
                while not client.request("GET", "/v1/trace?part=delivered", AUTHORIZED).body["received"]:
                    assert time.monotonic() < deadline_s, "no message was counted"
                    post(client, channel=fresh(), text="x")  # again, because the backplane may not be up yet
                    time.sleep(0.02)
        finally:
            server.end()


def test_the_trace_of_a_server_without_a_backplane(postgres: Postgres) -> None:
    """``published`` is never 0 and never before the commit. The states of the backplane are ``up`` and ``subscribed``,
    each once."""
    with stack.folder() as folder:
        server = Server(folder, "alone", postgres=postgres.settings, backplane={"name": "memory"})
        server.start()
        try:
            with connected(server) as client, connected(server, websocket=True) as subscriber:
                channel = fresh()
                subscriber.send({"op": "subscribe", "channel": channel})
                subscriber.event()
                post(client, channel=channel, text="x")
                assert subscriber.event()["seq"] == 1

                def rows(part: str) -> list[Any]:
                    return list(client.request("GET", f"/v1/trace?part={part}", AUTHORIZED).body["rows"])

                ((_, _, accepted, committed, published),) = rows("accepted")
                ((_, _, received, written, sockets, source),) = rows("delivered")
                assert accepted <= committed <= published
                assert committed <= received <= written
                assert (sockets, source) == (1, "live")
                assert [state for state, _ in rows("backplane")] == ["up", "subscribed"]
        finally:
            server.end()
