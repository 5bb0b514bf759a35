"""Slow consumers at real servers: their cost, their close code, and the other clients, which are not affected."""

import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from reference_server.web.websocket_protocol import CLOSE_TIMEOUT_S
from tests.reference_server.client import Client
from tests.reference_server.stack import Cluster, Server, fresh, wait_until
from tests.reference_server.stalled_client import StalledClient

pytestmark = pytest.mark.integration

NewCluster = Callable[..., Cluster]

WAITING_BYTES = 262_144
SEND_BUFFER_BYTES = 65_536
LIMITS = {"waiting_bytes": WAITING_BYTES, "send_buffer_bytes": SEND_BUFFER_BYTES}
STALLED = 10
TEXT = "x" * 16_000


def kernel_keeps(server: Server, clients: list[StalledClient]) -> list[int]:
    """The bytes in the server's send buffers in the kernel, one number for each connection that the kernel still
    knows."""
    ports = {client.socket.getsockname()[1] for client in clients}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        int(row[4].split(":")[0], 16)
        for row in rows
        if int(row[1].split(":")[1], 16) == server.port and int(row[2].split(":")[1], 16) in ports
    ]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="asks Linux for its connections")
def test_clients_that_stop_reading_cost_bounded_memory(new_cluster: NewCluster) -> None:
    """There are ten stalled clients, each in its own channel. Each costs at most its limit of waiting bytes and the
    kernel's buffer, for any number of posts. Then it is closed, and 3 s later nothing of it is left. Another client
    gets every message without delay."""
    cluster = new_cluster(limits=LIMITS)
    one, two = cluster.servers
    channels = [fresh() for _ in range(STALLED)]
    process = psutil.Process(one.child.pid)
    with Client(one) as client, ThreadPoolExecutor(8) as pool:
        for channel in channels:
            client.subscribe(channel)
        # Memory that the server needs once for messages of this size is not a cost of the stalled clients.
        for channel in channels:
            two.post(channel, TEXT)
            client.receive()
        stalled = [StalledClient(one, channel) for channel in channels]
        before_bytes = process.memory_info().rss
        grown_bytes = kept_bytes = 0
        for _ in range(150):
            posts = [pool.submit(two.post, channel, TEXT) for channel in channels]
            assert all(post.result()[0] == 200 for post in posts)
            for _ in channels:
                client.receive()
            grown_bytes = max(grown_bytes, process.memory_info().rss - before_bytes)
            kept_bytes = max([kept_bytes, *kernel_keeps(one, stalled)])
        assert one.metric("slow_readers_closed_total") == STALLED
        assert one.metric("connections") == 1
        assert 0 < kept_bytes <= 2 * SEND_BUFFER_BYTES  # the kernel doubles the requested size
        # The posts for them are 24 MB in all. A chunk that exceeds the limit is written in full, hence twice the limit.
        assert grown_bytes < STALLED * 2 * WAITING_BYTES + 8_000_000
        wait_until(lambda: not kernel_keeps(one, stalled), "the kernel to drop them", CLOSE_TIMEOUT_S + 5)
    for reader in stalled:
        reader.socket.close()


def test_a_client_that_stopped_reading_resumes_where_it_was(new_cluster: NewCluster) -> None:
    """The client gets 4008 after the messages that it had not read. A resume with the last seq that it read misses
    nothing."""
    cluster = new_cluster(limits=LIMITS)
    one, two = cluster.servers
    channel = fresh()
    stalled = StalledClient(one, channel)
    posted = 0
    with Client(one) as client, ThreadPoolExecutor(8) as pool:
        client.subscribe(channel)
        while not one.metric("slow_readers_closed_total"):
            assert posted < 2_000
            assert all(answer[0] == 200 for answer in pool.map(lambda _: two.post(channel, TEXT), range(16)))
            posted += 16
            client.texts(16)
    heard = stalled.rest()
    assert heard.endswith(struct.pack("!H", 4008) + b"read too slowly")
    last = heard.count(b'"type":"message"')
    assert 0 < last < posted
    with Client(two) as again:
        assert again.subscribe(channel, since=last) == last
        assert len(again.texts(posted - last)) == posted - last


def test_a_backlog_closes_no_client_that_reads(new_cluster: NewCluster) -> None:
    """After an outage a channel may have many times more to deliver than the limit of one connection. The server
    delivers it only as fast as the clients read."""
    cluster = new_cluster(limits=LIMITS)
    one, _ = cluster.servers
    channel = fresh()
    count = 600
    with Client(one) as client, Client(one) as late:
        client.subscribe(channel)
        late.subscribe(channel)
        cluster.postgres.sql(
            f"SELECT count(*) FROM append_messages(array_fill('{channel}'::text, ARRAY[{count}]), "
            f"array_fill('{TEXT}'::text, ARRAY[{count}]), array_fill(NULL::text, ARRAY[{count}]))"
        )
        assert len(client.texts(count)) == count
        assert len(late.texts(count)) == count
        started = time.monotonic()
        one.post(channel, "and on")
        assert client.texts(1) == late.texts(1) == ["and on"]
        assert time.monotonic() - started < 5.0
    assert one.metric("slow_readers_closed_total") == 0


def test_a_slow_consumer_is_closed_and_the_others_are_not_affected(new_cluster: NewCluster) -> None:
    """The bytes that wait for one connection are limited. Over the limit it gets close code 4008. The others get every
    message."""
    cluster = new_cluster(limits={"waiting_bytes": 262_144})
    one, two = cluster.servers
    channel = fresh()
    stalled = StalledClient(one, channel)
    with Client(one) as client, ThreadPoolExecutor(8) as pool:
        client.subscribe(channel)
        posted = 0
        while not one.metric("slow_readers_closed_total"):
            assert posted < 2_000
            posts = [pool.submit(two.post, channel, "x" * 16_000) for _ in range(64)]
            assert all(post.result()[0] == 200 for post in posts)
            posted += 64
            client.texts(64)
        assert stalled.rest()[-2 - len("read too slowly") :] == struct.pack("!H", 4008) + b"read too slowly"
        one.post(channel, "and on it goes")
        assert client.receive()["text"] == "and on it goes"
        assert one.metric("slow_readers_closed_total") == 1
        assert one.metric("connections") == 1


def test_a_long_resume_is_written_at_the_speed_of_the_client(new_cluster: NewCluster) -> None:
    """The server never queues more than a part of the backlog, so the client is not closed."""
    cluster = new_cluster()
    one, _ = cluster.servers
    channel = fresh()
    cluster.postgres.sql(
        f"SELECT append_messages(array_fill('{channel}'::text, ARRAY[1000]), "
        "array_fill(repeat('x', 16000), ARRAY[1000]), array_fill(NULL::text, ARRAY[1000]))"
    )
    with Client(one) as client:
        assert client.subscribe(channel, since=0) == 0
        assert client.texts(1_000) == ["x" * 16_000] * 1_000
    assert one.metric("slow_readers_closed_total") == 0
