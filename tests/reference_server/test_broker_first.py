"""Real servers with the write path broker-first: what they store, and how they report lost messages."""

import signal
from collections.abc import Callable

import pytest

from tests.reference_server.client import Client
from tests.reference_server.stack import Cluster, Server, fresh, wait_until

pytestmark = pytest.mark.integration


def test_an_end_in_good_order_loses_nothing(new_cluster: Callable[..., Cluster]) -> None:
    """SIGTERM comes right after an acknowledgement. All messages are in the database."""
    cluster = new_cluster(write_path="broker-first", commit_pause_ms=300.0)
    one, two = cluster.servers
    channel = fresh()
    with Client(two) as there:
        there.subscribe(channel)
        for number in range(1, 21):
            assert one.post(channel, f"text {number}")[1]["seq"] == number
        assert there.texts(20) == [f"text {number}" for number in range(1, 21)]
    assert cluster.postgres.sql(f"SELECT count(*) FROM messages WHERE channel = '{channel}'") == "0"
    one.end()
    assert cluster.postgres.sql(f"SELECT count(*) FROM messages WHERE channel = '{channel}'") == "20"


def test_a_message_that_died_with_its_server_is_named_as_a_gap(new_cluster: Callable[..., Cluster]) -> None:
    """A server is killed before it stored messages, and the broker is restarted. A client that resumes gets the lost
    seqs as gaps."""
    cluster = new_cluster(write_path="broker-first", commit_pause_ms=60_000.0)
    one, two = cluster.servers
    two.end()
    two.settings["commit_pause_ms"] = 1.0
    two.start()
    channel = fresh()
    with Client(two) as there:
        there.subscribe(channel)
        for number in range(1, 4):
            assert one.post(channel, f"text {number}")[0] == 200
        assert there.texts(3) == ["text 1", "text 2", "text 3"]
        one.end(signal.SIGKILL)
        cluster.valkey.end()
        cluster.valkey.start()
        wait_until(lambda: two.post(channel, "text 4")[0] == 200, "server-2 to number again")
        assert there.receive()["seq"] == 4, "the new epoch gives no number again that a client has seen"
    wait_until(lambda: _resumed(two, channel), "the holes to be called lost", timeout_s=20.0)


def _resumed(server: Server, channel: str) -> bool:

    with Client(server) as late:
        late.subscribe(channel, since=0)
        try:
            events = [late.receive(0.3) for _ in range(4)]
        except Exception:  # the server closes the connection while a missing message may still come
            return False
    assert [(event["type"], event["seq"]) for event in events] == [("gap", 1), ("gap", 2), ("gap", 3), ("message", 4)]
    return True
