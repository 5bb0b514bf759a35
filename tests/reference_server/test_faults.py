"""Two real servers during injected faults. A test that breaks a broker or a database has its own."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from tests.reference_server.client import Client
from tests.reference_server.stack import Cluster, Postgres, fresh, wait_until
from tests.reference_server.stalled_client import StalledClient

pytestmark = pytest.mark.integration

NewCluster = Callable[..., Cluster]

SLACK_S = 3.0
"""extra time for a machine that is busy with other work, such as other tests"""


def test_redis_killed_and_back(new_cluster: NewCluster) -> None:
    """Without Redis, the servers acknowledge each post within a second and deliver each message once from the database.
    /readyz reports the backplane as down. When Redis is back, messages are live again without manual action."""
    cluster = new_cluster()
    one, two = cluster.servers
    channel = fresh()
    with Client(one) as here, Client(two) as there:
        here.subscribe(channel)
        there.subscribe(channel)
        one.post(channel, "before")
        cluster.valkey.end(signal.SIGKILL)
        for n in range(20):
            started = time.monotonic()
            assert (one, two)[n % 2].post(channel, f"without {n}")[0] == 200
            assert time.monotonic() - started < 1.0 + SLACK_S
        assert here.texts(21) == there.texts(21)
        status, ready = one.get("/readyz")
        assert (status, ready["ok"], ready["error"], ready["backplane"]) == (503, False, "not_ready", "down")
        assert ready["database"] == "up"

        late = Client(two)  # a client can subscribe during the outage
        assert late.subscribe(channel) == 21

        cluster.valkey.start()
        cluster.wait_ready()
        assert two.post(channel, "after")[0] == 200
        for client in (here, there, late):
            assert client.texts(1) == ["after"]
        late.close()
    rows = [row for row in two.get("/v1/trace?part=delivered")[1]["rows"] if row[0] == channel]
    assert [row[1] for row in rows] == list(range(1, 23))
    assert rows[-1][-1] == "live"
    assert "recovered" in {row[-1] for row in rows}
    # The server may have published the first message of the outage before it noticed the loss.
    accepted = one.get("/v1/trace?part=accepted")[1]["rows"]
    assert accepted[-1][-1] == 0


def test_a_frozen_redis_is_noticed(new_cluster: NewCluster) -> None:
    """SIGSTOP closes no connection. The servers acknowledge posts, and messages arrive within the sweep. Within two
    intervals of PING /readyz reports down. After SIGCONT messages are live again."""
    cluster = new_cluster()
    one, two = cluster.servers
    channel = fresh()
    with Client(two) as client:
        client.subscribe(channel)
        cluster.valkey.child.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert one.post(channel, "while frozen")[0] == 200
        assert client.receive(2 + SLACK_S)["text"] == "while frozen"
        assert time.monotonic() - started < 2.0 + SLACK_S
        wait_until(lambda: one.get("/readyz")[0] == 503 and two.get("/readyz")[0] == 503, "both to notice", 4 + SLACK_S)
        assert one.post(channel, "and noticed")[0] == 200
        assert client.receive()["text"] == "and noticed"
        other = fresh()
        client.subscribe(other)
        cluster.valkey.child.send_signal(signal.SIGCONT)
        cluster.wait_ready()
        one.post(channel, "thawed")
        one.post(other, "thawed too")
        assert {client.receive()["text"], client.receive()["text"]} == {"thawed", "thawed too"}


def test_a_hole_is_filled_from_the_database(cluster: Cluster) -> None:
    """Redis never carried the message. The servers deliver it in its place, before the next message."""
    one, two = cluster.servers
    channel = fresh()
    with Client(one) as here, Client(two) as there:
        here.subscribe(channel)
        there.subscribe(channel)
        cluster.postgres.sql(f"SELECT append_messages(ARRAY['{channel}'], ARRAY['not published'], ARRAY[NULL]::text[])")
        one.post(channel, "published")
        assert here.texts(2) == there.texts(2) == ["not published", "published"]


def test_a_lost_tail_is_found(cluster: Cluster) -> None:
    """Redis never carried the message, and no message follows it. It arrives within the sweep of one second."""
    one, _ = cluster.servers
    channel = fresh()
    with Client(one) as client:
        client.subscribe(channel)
        cluster.postgres.sql(f"SELECT append_messages(ARRAY['{channel}'], ARRAY['not published'], ARRAY[NULL]::text[])")
        assert client.receive(2 + SLACK_S)["text"] == "not published"


def test_with_recovery_off_a_loss_shows(new_cluster: NewCluster) -> None:
    """A message that Redis did not carry is lost for connected clients, and they see the gap. A resume still delivers
    every message."""
    cluster = new_cluster(recovery="off")
    one, _ = cluster.servers
    channel = fresh()
    with Client(one) as client:
        client.subscribe(channel)
        cluster.postgres.sql(f"SELECT append_messages(ARRAY['{channel}'], ARRAY['not published'], ARRAY[NULL]::text[])")
        one.post(channel, "published")
        assert (client.receive()["seq"]) == 2
    with Client(one) as client:
        client.subscribe(channel, since=0)
        assert client.texts(2) == ["not published", "published"]


def test_recovery_by_hand(new_cluster: NewCluster) -> None:
    """A server fills no hole until a rebroadcast is requested. Then it delivers the messages that its own subscribers
    miss, in order."""
    cluster = new_cluster(recovery="manual")
    one, two = cluster.servers
    channel = fresh()
    with Client(one) as here, Client(two) as there:
        here.subscribe(channel)
        there.subscribe(channel)
        cluster.valkey.end()
        for text in ("a", "b"):
            assert one.post(channel, text)[0] == 200
        cluster.valkey.start()
        cluster.wait_ready()
        assert one.post(channel, "c")[0] == 200
        for client in (here, there):
            with pytest.raises(TimeoutError):
                client.receive(1.5)
        assert two.request("POST", "/v1/rebroadcast") == (200, {"ok": True, "channels": 1, "messages": 2})
        assert there.texts(3) == ["a", "b", "c"]
        assert one.request("POST", f"/v1/rebroadcast?channel={channel}")[1]["messages"] == 2
        assert here.texts(3) == ["a", "b", "c"]
        assert one.request("POST", "/v1/rebroadcast")[1]["messages"] == 0
        assert one.request("POST", "/v1/rebroadcast?channel=a%20b")[1]["error"] == "invalid_request"
        assert one.request("POST", "/v1/rebroadcast", token="other")[0] == 401
        states = [row[0] for row in two.get("/v1/trace?part=backplane")[1]["rows"]]
        assert states[-3:] == ["down", "up", "subscribed"]


def test_a_server_that_redis_disconnects_recovers(cluster: Cluster) -> None:
    """Redis closes a subscriber whose output buffer is over its limit. The server treats this like any other outage."""
    one, two = cluster.servers
    channel = fresh()
    with Client(two) as client:
        client.subscribe(channel)
        assert cluster.valkey.disconnect("pubsub") >= 1
        texts = [f"text {number}" for number in range(20)]
        for text in texts:
            assert one.post(channel, text)[0] == 200
        assert client.texts(20) == texts
    cluster.wait_ready()


def test_postgres_crashes_and_returns(new_cluster: NewCluster, own_postgres: Postgres) -> None:
    """Without the database, posts fail with their error code within a time limit, and these messages are never
    delivered. When the database is back, posts and deliveries continue without manual action."""
    cluster = new_cluster(own_postgres)
    one, two = cluster.servers
    channel = fresh()
    with Client(two) as client:
        client.subscribe(channel)
        assert one.post(channel, "before")[0] == 200
        own_postgres.crash()
        for _ in range(3):
            started = time.monotonic()
            status, answer = one.post(channel, "never")
            assert (status, answer["ok"], answer["error"]) == (503, False, "database_unavailable")
            assert time.monotonic() - started < 4.0 + SLACK_S
        assert two.get(f"/v1/conversations.history?channel={channel}")[1]["error"] == "database_unavailable"
        assert one.get("/readyz")[1]["database"] == "down"
        client.send(op="subscribe", channel=fresh())
        assert client.texts(1) == ["before"]
        assert client.receive()["error"] == "database_unavailable"
        own_postgres.start()
        wait_until(lambda: one.post(channel, "after")[0] == 200, "posts to be taken again")
        assert client.texts(1) == ["after"]
    assert own_postgres.sql(f"SELECT string_agg(text, ',' ORDER BY seq) FROM messages WHERE channel = '{channel}'") == (
        "before,after"
    )


def test_a_frozen_postgres_leaves_the_outcome_open(new_cluster: NewCluster, own_postgres: Postgres) -> None:
    """PostgreSQL may still commit a statement that it did not answer, so the post gets ``outcome_unknown`` within the
    time limit. A second post with the same id gets the outcome and stores no second message."""
    cluster = new_cluster(own_postgres, statement_timeout_ms=500)
    one, _ = cluster.servers
    channel = fresh()
    assert one.post(channel, "warm")[0] == 200
    own_postgres.signal_all(signal.SIGSTOP)
    try:
        started = time.monotonic()
        status, answer = one.post(channel, "perhaps", "id")
        assert (status, answer["error"]) == (500, "outcome_unknown")
        assert time.monotonic() - started < 4.0 + SLACK_S
        status, answer = one.post(channel, "not sent")
        assert (status, answer["error"]) == (503, "database_unavailable")
    finally:
        own_postgres.signal_all(signal.SIGCONT)
    wait_until(lambda: one.post(channel, "perhaps", "id")[0] == 200, "the database to answer")
    assert own_postgres.sql(f"SELECT count(*) FROM messages WHERE channel = '{channel}'") == "2"


def test_a_statement_that_times_out_is_not_stored(new_cluster: NewCluster) -> None:
    """PostgreSQL ends the statement after its own time-out, and the post gets 503. The message is not stored after the
    lock is released either."""
    cluster = new_cluster(statement_timeout_ms=300)
    one, _ = cluster.servers
    channel = fresh()
    one.post(channel, "first")
    lock = f"BEGIN; UPDATE channels SET last_seq = last_seq WHERE name = '{channel}'; SELECT pg_sleep(2); COMMIT"
    with ThreadPoolExecutor(1) as pool:
        locked = pool.submit(cluster.postgres.sql, lock)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; UPDATE%' AND wait_event = 'PgSleep'"
        wait_until(lambda: cluster.postgres.sql(waiting) == "1", "the row to be locked")
        status, answer = one.post(channel, "refused")
        assert (status, answer["error"]) == (503, "database_unavailable")
        locked.result()
    assert one.post(channel, "second")[1]["seq"] == 2
    assert cluster.postgres.sql(f"SELECT count(*) FROM messages WHERE channel = '{channel}'") == "2"


def test_the_number_of_connections_is_limited(new_cluster: NewCluster) -> None:
    """The server accepts a connection over the limit and closes it with 1013. Its client then chooses another server. A
    client that leaves makes room."""
    cluster = new_cluster(limits={"connections": 2})
    one, _ = cluster.servers
    with ExitStack() as open_clients:
        first = Client(one)
        open_clients.enter_context(Client(one))
        third = Client(one)
        with pytest.raises(ConnectionClosed) as caught:
            third.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1013
        first.close()
        wait_until(lambda: one.metric("connections") == 1, "the first to be gone")
        open_clients.enter_context(Client(one)).subscribe(fresh())


def test_a_server_stops_in_time(new_cluster: NewCluster) -> None:
    """After SIGTERM clients get 1012, and the process ends with exit code 0 within two seconds. A stalled client does
    not delay this."""
    cluster = new_cluster()
    one, two = cluster.servers
    channel = fresh()
    stalled = StalledClient(one, channel)
    clients = [Client(one) for _ in range(100)]
    for client in clients:
        client.subscribe(channel)
    started = time.monotonic()
    assert one.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 2.0 + SLACK_S
    for client in clients:
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1012
    stalled.rest()
    assert two.post(channel, "without the other")[0] == 200
    assert two.end(signal.SIGINT) == 0


def test_a_server_killed_its_clients_resume_elsewhere(new_cluster: NewCluster) -> None:
    """The messages that the killed server acknowledged are in the database. A resume on the other server delivers
    them."""
    cluster = new_cluster()
    one, two = cluster.servers
    channel = fresh()
    client = Client(one)
    client.subscribe(channel)
    for n in range(10):
        assert one.post(channel, str(n))[0] == 200
    last = [client.receive()["seq"] for _ in range(4)][-1]
    one.child.send_signal(signal.SIGKILL)
    one.child.wait()
    with Client(two) as again:
        assert again.subscribe(channel, since=last) == last
        two.post(channel, "10")
        assert again.texts(7) == [str(n) for n in range(4, 11)]
    client.close()


def test_file_descriptors_are_not_leaked(cluster: Cluster) -> None:
    """After a hundred connections the server has as many descriptors as before."""
    one, _ = cluster.servers

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{one.child.pid}/fd"))

    before = descriptors()
    for _ in range(100):
        with Client(one) as client:
            client.subscribe(fresh())
    wait_until(lambda: descriptors() <= before + 2, "the connections to be gone")
