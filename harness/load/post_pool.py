"""The publisher's HTTP connections: some are kept to every server, and more are opened while all wait for answers."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence

from harness.load.dial import connect
from harness.load.protocol.http_post import PostConnection
from harness.model.cluster import ServerAddress

KEPT_CONNECTIONS = 64
MAX_CONNECTIONS = 512
"""Per server. More are opened, one by one, when all are waiting for answers."""
CONNECT_TIMEOUT_S = 2.0
PAUSE_BASE_S = 0.1
PAUSE_CAP_S = 1.0
"""The longest pause before a connection is opened again: a server that comes back must be found soon."""
ANSWER_TIMEOUT_S = 10.0
"""How long a post may wait for its answer, and a message, after its intended time, for a connection."""


class PostPool:
    """Gives each message an idle connection to its server, or to another server if its own takes no connection.

    ``write(connection, message)`` posts a message. ``on_answer(connection, status, body)`` follows, or
    ``on_lost(message, status, why)`` if the connection ends without a whole answer (``status`` is 0 if its head did not
    arrive either); the publisher calls `release` after each answer. ``on_broken(server, why)``: a server sent bytes
    that are not HTTP. ``on_expired(message)``: the message found no connection in time and was never sent.
    ``on_trouble`` gets the reason why a server takes no connection.
    """

    def __init__(
        self,
        servers: Sequence[ServerAddress],
        *,
        write: Callable[[PostConnection, int], None],
        on_answer: Callable[[PostConnection, int, bytes], None],
        on_lost: Callable[[int, int, str], None],
        on_broken: Callable[[int, str], None],
        on_expired: Callable[[int], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._servers = servers
        self._write = write
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._on_broken = on_broken
        self._on_expired = on_expired
        self._on_trouble = on_trouble
        self._idle: list[list[PostConnection]] = [[] for _ in servers]
        self._waiting: list[deque[tuple[int, int, int]]] = [deque() for _ in servers]
        """(message, its planned server, its intended time) by the server that it waits for"""
        self._counts = [0 for _ in servers]
        """connections that are open or being opened"""
        self._open: set[PostConnection] = set()
        self._unproven: dict[PostConnection, int] = {}
        """connections without an answer so far, and how many in a row before them ended without one"""
        self._refusing: set[int] = set()
        """servers that took no connection at the last try"""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def connections(self) -> int:
        return sum(self._counts)

    def open(self) -> None:
        """Begin to open the connections that are kept."""
        for server in range(len(self._servers)):
            for _ in range(KEPT_CONNECTIONS):
                self._open_connection(server)

    def post(self, message: int, server: int, due_ns: int) -> None:
        """Post ``message`` now, or as soon as a connection is free."""
        target = server
        if target in self._refusing:
            target = self._another(target)
        idle = self._idle[target]
        if idle:
            self._write(idle.pop(), message)
            return
        self._waiting[target].append((message, server, due_ns))
        self._open_connection(target)

    def release(self, connection: PostConnection) -> None:
        """``connection`` has its answer and takes the next message, where the server keeps it open."""
        self._unproven.pop(connection, None)
        self._offer(connection)

    def _offer(self, connection: PostConnection) -> None:
        if not connection.reusable:
            connection.close()
            return
        waiting = self._waiting[connection.server]
        if waiting:
            self._write(connection, waiting.popleft()[0])
        else:
            self._idle[connection.server].append(connection)

    def drop_overdue(self) -> None:
        """Stop waiting for answers whose time is over, and drop waiting messages whose time is over."""
        now_ns = time.monotonic_ns()
        for connection in [each for each in self._open if each.message >= 0 and each.deadline_ns < now_ns]:
            connection.abort(f"no answer within {ANSWER_TIMEOUT_S:g} s")
        for server in range(len(self._servers)):
            self._expire(server)

    def close(self) -> None:
        self._closed = True
        for connection in tuple(self._open):
            connection.close()

    def _another(self, server: int) -> int:
        """The next server that takes connections, as a load balancer would choose; the same server if none does."""
        count = len(self._servers)
        others = ((server + step) % count for step in range(1, count))
        return next((other for other in others if other not in self._refusing), server)

    def _open_connection(self, server: int, failures: int = 0) -> None:
        """``failures``: how many connections in its place failed, one after the other."""
        if self._counts[server] >= MAX_CONNECTIONS or self._closed:
            return
        self._counts[server] += 1
        task = asyncio.get_running_loop().create_task(self._connect(server, failures))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, server: int, failures: int) -> None:
        address = self._servers[server]

        def connection_of() -> PostConnection:
            connection = PostConnection(server, self._on_answer, self._on_connection_lost)
            self._unproven[connection] = failures
            return connection

        while not self._closed:
            if failures:
                await asyncio.sleep(pause_s(failures))
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    connection = await connect(connection_of, address)
            except OSError as error:
                self._on_trouble(f"the publisher cannot connect to {address.url}: {error or type(error).__name__}")
                self._refusing.add(server)
                self._hand_over(server)
                failures += 1
                continue
            self._refusing.discard(server)
            if connection.ended:  # the server closed it at once; `_on_connection_lost` has opened another
                return
            if self._closed:  # while this connection was being opened
                connection.close()
                return
            self._open.add(connection)
            self._offer(connection)
            return

    def _hand_over(self, server: int) -> None:
        """Messages that wait for ``server`` go to a server that takes connections; if none does, they continue to
        wait."""
        if self._another(server) != server:
            handed, self._waiting[server] = self._waiting[server], deque()
            for message, planned, due_ns in handed:
                self.post(message, planned, due_ns)
        self._expire(server)

    def _expire(self, server: int) -> None:
        """A message that found no connection within the time-out of an answer was certainly not stored."""
        latest_ns = time.monotonic_ns() - int(ANSWER_TIMEOUT_S * 1e9)
        waiting = self._waiting[server]
        while waiting and waiting[0][2] < latest_ns:
            self._on_expired(waiting.popleft()[0])

    def _on_connection_lost(self, connection: PostConnection, why: str, broken: bool) -> None:
        self._counts[connection.server] -= 1
        self._open.discard(connection)
        idle = self._idle[connection.server]
        if connection in idle:
            idle.remove(connection)
        if broken:
            self._on_broken(connection.server, why)
        if connection.message >= 0:
            # The request was sent; whether the server took it, the publisher cannot know.
            self._on_lost(connection.message, connection.status, why)
            connection.message = -1
        before = self._unproven.pop(connection, None)
        kept = max(KEPT_CONNECTIONS, len(self._waiting[connection.server]))
        if not self._closed and self._counts[connection.server] < kept:
            # A server may close after an answer; an end before the first answer is a failure.
            self._open_connection(connection.server, 0 if before is None else before + 1)


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row: doubled each time up to PAUSE_CAP_S, less a random part of up
    to half of it, so that connections are not opened at the same moments."""
    limit_s = min(PAUSE_CAP_S, PAUSE_BASE_S * float(2 ** min(failures, 8)))
    return random.uniform(limit_s / 2, limit_s)  # noqa: S311 - no secret
