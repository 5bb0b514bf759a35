"""Clients that stop reading: what they cost, what they are told, and that the others do not notice. Real servers."""

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
DEAF = 10
TEXT = "x" * 16_000


def kernel_keeps(server: Server, clients: list[StalledClient]) -> list[int]:
    """Bytes in the kernel's send buffers at the server's end, one number for each connection it still knows of."""
    ports = {client.socket.getsockname()[1] for client in clients}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        int(row[4].split(":")[0], 16)
        for row in rows
        if int(row[1].split(":")[1], 16) == server.port and int(row[2].split(":")[1], 16) in ports
    ]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="asks Linux what it keeps")
def test_clients_that_stop_reading_cost_bounded_memory(new_cluster: NewCluster) -> None:
    """Each of ten dead readers, in a channel of its own, costs what may wait for it and the kernel's buffer, however much
    is posted; then it is closed, and 3 s later nothing is left of it. A client beside them gets everything at once."""
    cluster = new_cluster(limits=LIMITS)
    one, two = cluster.servers
    channels = [fresh() for _ in range(DEAF)]
    process = psutil.Process(one.child.pid)
    with Client(one) as client, ThreadPoolExecutor(8) as pool:
        for channel in channels:
            client.subscribe(channel)
        for channel in channels:  # what a server needs once for messages of this size is not the readers' cost
            two.post(channel, TEXT)
            client.receive()
        deaf = [StalledClient(one, channel) for channel in channels]
        before_bytes = process.memory_info().rss
        grown_bytes = kept_bytes = 0
        for _ in range(150):
            posts = [pool.submit(two.post, channel, TEXT) for channel in channels]
            assert all(post.result()[0] == 200 for post in posts)
            for _ in channels:
                client.receive()
            grown_bytes = max(grown_bytes, process.memory_info().rss - before_bytes)
            kept_bytes = max([kept_bytes, *kernel_keeps(one, deaf)])
        assert one.metric("slow_readers_closed_total") == DEAF
        assert one.metric("connections") == 1
        assert 0 < kept_bytes <= 2 * SEND_BUFFER_BYTES  # the kernel takes twice what it is asked for
        # All that was posted for them is 24 MB; twice the limit is for what is being written as it is passed.
        assert grown_bytes < DEAF * 2 * WAITING_BYTES + 8_000_000
        wait_until(lambda: not kernel_keeps(one, deaf), "the kernel to forget them", CLOSE_TIMEOUT_S + 5)
    for reader in deaf:
        reader.socket.close()


def test_a_reader_that_stopped_resumes_where_it_was(new_cluster: NewCluster) -> None:
    """It finds 4008 behind what it had not read yet, and with the last seq it has read it misses nothing."""
    cluster = new_cluster(limits=LIMITS)
    one, two = cluster.servers
    channel = fresh()
    deaf = StalledClient(one, channel)
    posted = 0
    with Client(one) as client, ThreadPoolExecutor(8) as pool:
        client.subscribe(channel)
        while not one.metric("slow_readers_closed_total"):
            assert posted < 2_000
            assert all(answer[0] == 200 for answer in pool.map(lambda _: two.post(channel, TEXT), range(16)))
            posted += 16
            client.texts(16)
    heard = deaf.rest()
    assert heard.endswith(struct.pack("!H", 4008) + b"read too slowly")
    last = heard.count(b'"type":"message"')
    assert 0 < last < posted
    with Client(two) as again:
        assert again.subscribe(channel, since=last) == last
        assert len(again.texts(posted - last)) == posted - last


def test_a_backlog_cuts_off_no_reader_that_reads(new_cluster: NewCluster) -> None:
    """After an outage a channel may have many times more to deliver than may wait for a connection: it is delivered no
    faster than its readers read."""
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
