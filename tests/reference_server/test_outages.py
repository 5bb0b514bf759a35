"""A stream of posts during which PostgreSQL, Redis or a server is lost and restored. All of them are real."""

import itertools
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import pytest
from websockets.exceptions import ConnectionClosed

from reference_server.message_log.postgresql_connection import CLIENT_MARGIN_S, CONNECT_TIMEOUT_S
from tests.reference_server.client import Client
from tests.reference_server.stack import Cluster, Postgres, Server, fresh, wait_until

pytestmark = pytest.mark.integration

NewCluster = Callable[..., Cluster]

STATEMENT_TIMEOUT_MS = 500
BOUND_S = CONNECT_TIMEOUT_S + STATEMENT_TIMEOUT_MS / 1_000 + CLIENT_MARGIN_S
"""No post waits longer for its answer: the time to connect, PostgreSQL's own time-out, and a margin."""
SLACK_S = 3.0
"""extra time for a machine that is busy with other work"""


@dataclass(frozen=True)
class Post:
    text: str
    status: int
    """0 if the server could not be reached"""
    error: str
    took_s: float

    @property
    def rejected(self) -> bool:
        return self.status == 503


class Stream:
    """Posts texts to the servers in rotation until the block ends. All texts are different."""

    def __init__(self, channel: str, *servers: Server) -> None:
        self.posts: list[Post] = []
        self._channel = channel
        self._servers = itertools.cycle(servers)
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._running = self._pool.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._running.result()
        self._pool.shutdown()

    def _run(self) -> None:
        for number in itertools.count():
            if self._ending.wait(0.005):
                return
            text = f"text {number}"
            started = time.monotonic()
            try:
                status, answer = next(self._servers).post(self._channel, text)
            except OSError:
                status, answer = 0, {}
            self.posts.append(Post(text, status, answer.get("error", ""), time.monotonic() - started))

    def count(self, status: int) -> int:
        return sum(post.status == status for post in list(self.posts))

    def wait_for_more(self, status: int, count: int) -> None:
        wanted = self.count(status) + count
        wait_until(lambda: self.count(status) >= wanted, f"{count} more answers with {status}", 30)

    def texts(self, status: int) -> set[str]:
        return {post.text for post in self.posts if post.status == status}


def stored(postgres: Postgres, channel: str) -> list[str]:
    return postgres.sql(f"SELECT text FROM messages WHERE channel = '{channel}' ORDER BY seq").splitlines()


def stop(postgres: Postgres) -> None:
    postgres.end(signal.SIGINT)


def freeze(postgres: Postgres) -> None:
    postgres.signal_all(signal.SIGSTOP)


def thaw(postgres: Postgres) -> None:
    postgres.signal_all(signal.SIGCONT)


@pytest.mark.parametrize(
    ("take", "give_back"),
    [(stop, Postgres.start), (Postgres.kill, Postgres.start), (freeze, thaw)],
    ids=["stopped", "killed", "frozen"],
)
def test_postgres_is_lost_and_restored(
    take: Callable[[Postgres], Any],
    give_back: Callable[[Postgres], Any],
    new_cluster: NewCluster,
    own_postgres: Postgres,
) -> None:
    """Posts fail with their error code within the time limit. Rejected messages are not stored or delivered, and
    acknowledged messages are both. Both servers deliver every stored message in order, even if its post got no clear
    answer."""
    cluster = new_cluster(own_postgres, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    one, two = cluster.servers
    channel = fresh()
    with Client(one) as here, Client(two) as there:
        here.subscribe(channel)
        there.subscribe(channel)
        with Stream(channel, one, two) as stream:
            stream.wait_for_more(200, 20)
            take(own_postgres)
            try:
                stream.wait_for_more(503, 3)
            finally:
                give_back(own_postgres)
            stream.wait_for_more(200, 20)
        kept = stored(own_postgres, channel)
        assert here.texts(len(kept)) == there.texts(len(kept)) == kept
        for client in (here, there):  # the sweep after the last message delivers nothing more
            with pytest.raises(TimeoutError):
                client.receive(1.5)
    answers = {(post.status, post.error) for post in stream.posts}
    assert answers <= {(200, ""), (503, "database_unavailable"), (500, "outcome_unknown")}
    assert max(post.took_s for post in stream.posts) < BOUND_S + SLACK_S
    assert stream.texts(200) <= set(kept)
    assert not stream.texts(503) & set(kept)
    assert len(kept) == len(set(kept))


def test_a_frozen_server_that_redis_disconnects_recovers(new_cluster: NewCluster) -> None:
    """Redis disconnects a subscriber that reads nothing (``client-output-buffer-limit``). When the server continues, it
    subscribes again. Its clients get every message once and in order."""
    cluster = new_cluster()
    one, two = cluster.servers
    cluster.valkey.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1048576 0 0")
    channel = fresh()
    posted: list[str] = []

    def disconnected() -> bool:
        return bool(cluster.valkey.ask("INFO", "stats")["client_output_buffer_limit_disconnections"])

    with Client(one) as here, Client(two) as there, ThreadPoolExecutor(8) as pool:
        here.subscribe(channel)
        there.subscribe(channel)
        two.child.send_signal(signal.SIGSTOP)
        try:
            while not disconnected():
                assert len(posted) < 3_000, "Redis never disconnected the server"
                texts = [f"{len(posted) + number:5}" + "x" * 15_000 for number in range(64)]
                assert [answer[0] for answer in pool.map(lambda text: one.post(channel, text), texts)] == [200] * 64
                posted += texts
                here.texts(64)
        finally:
            two.child.send_signal(signal.SIGCONT)
        assert sorted(there.texts(len(posted))) == posted
        cluster.wait_ready()
        assert one.post(channel, "live again")[0] == 200
        assert there.texts(1) == here.texts(1) == ["live again"]
    states = [row[0] for row in two.get("/v1/trace?part=backplane")[1]["rows"]]
    assert states == ["up", "subscribed", "down", "up", "subscribed"]


def follow(servers: list[Server], channel: str, last_text: str) -> list[dict[str, Any]]:
    """The events that a client receives. Each time its connection ends, the client connects to the next server and
    resumes."""
    events: list[dict[str, Any]] = []
    for server in itertools.cycle(servers):
        try:
            with Client(server) as client:
                client.subscribe(channel, since=events[-1]["seq"] if events else 0)
                while True:
                    events.append(client.receive(20))
                    if events[-1]["text"] == last_text:
                        return events
        except (ConnectionClosed, OSError):
            time.sleep(0.05)
    raise AssertionError


def test_a_server_is_killed_in_the_middle_of_a_stream(new_cluster: NewCluster) -> None:
    """The clients of the killed server resume on the other server. Each client receives 1, 2, 3 … without a gap or a
    repetition, and every message that either server acknowledged."""
    cluster = new_cluster()
    one, two = cluster.servers
    channel = fresh()
    with ThreadPoolExecutor(6) as pool:
        seen = [pool.submit(follow, [one, two], channel, "the last") for _ in range(6)]
        wait_until(lambda: one.metric("connections") == 6, "all to be connected")
        with Stream(channel, one, two) as stream:
            stream.wait_for_more(200, 40)
            one.end(signal.SIGKILL)
            stream.wait_for_more(200, 40)
        assert two.post(channel, "the last")[0] == 200
        histories = [future.result(60) for future in seen]
    kept = stored(cluster.postgres, channel)
    for events in histories:
        assert [event["seq"] for event in events] == list(range(1, len(kept) + 1))
        assert [event["text"] for event in events] == kept
    assert stream.texts(200) <= set(kept)
