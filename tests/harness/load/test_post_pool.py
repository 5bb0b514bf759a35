"""The publisher's connections, tested with small servers: where messages go if a server does not take them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.load import post_pool as module
from harness.load.post_pool import KEPT_CONNECTIONS, PAUSE_CAP_S, PostPool, pause_s
from harness.load.protocol.http_post import PostConnection
from harness.model.cluster import ServerAddress

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"ok":true,"seq":1}'
NO_SERVER = ServerAddress(name="server-9", host="127.0.0.1", port=1)


class Peer(asyncio.Protocol):
    """The server's end of a connection. ``reply`` is the answer to every request: b"" sends no answer, None closes the
    connection."""

    opened: "list[Peer]" = []  # noqa: RUF012 - every peer, so that a test can wait until all are gone

    def __init__(self, reply: bytes | None) -> None:
        self.reply = reply
        self.gone = False
        self.opened.append(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.reply is None:
            self.transport.close()
        else:
            self.transport.write(self.reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True


class Pool(PostPool):
    """A pool that records what happens to its messages."""

    def __init__(self, *servers: ServerAddress) -> None:
        self.written: dict[int, int] = {}
        self.answered: list[int] = []
        self.lost: dict[int, str] = {}
        self.broken: list[str] = []
        self.expired: list[int] = []
        self.troubles: list[str] = []
        super().__init__(
            servers,
            write=self.write,
            on_answer=self.on_answer,
            on_lost=lambda message, status, why: self.lost.__setitem__(message, why),
            on_broken=lambda server, why: self.broken.append(why),
            on_expired=self.expired.append,
            on_trouble=self.troubles.append,
        )

    def write(self, connection: PostConnection, message: int) -> None:
        self.written[message] = connection.server
        connection.post(message, b"x", time.monotonic_ns() + int(module.ANSWER_TIMEOUT_S * 1e9))

    def on_answer(self, connection: PostConnection, status: int, body: bytes) -> None:
        self.answered.append(connection.message)
        connection.message = -1
        self.release(connection)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def play(scenario: Callable[[ServerAddress], Awaitable[None]], reply: bytes | None = OK) -> None:
    """Run ``scenario`` with one server. Check that every connection is closed afterwards."""

    async def main() -> None:
        Peer.opened.clear()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Peer(reply), "127.0.0.1", 0, backlog=1024)
        try:
            await scenario(ServerAddress(name="server-1", host="127.0.0.1", port=server.sockets[0].getsockname()[1]))
        finally:
            server.close()
        await until(lambda: all(peer.gone for peer in Peer.opened))

    asyncio.run(main())


def test_kept_connections_are_used_again() -> None:
    """Many messages in sequence need no more connections than the pool keeps."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        pool.open()
        for message in range(300):
            pool.post(message, 0, time.monotonic_ns())
            await until(lambda message=message: message in pool.answered)  # type: ignore[misc]  # bound at once
        # The pool opens one more if the first message comes before a connection is open.
        assert pool.connections <= KEPT_CONNECTIONS + 1
        pool.close()

    play(scenario)


def test_more_connections_are_opened_while_all_wait() -> None:
    """A message does not wait for the answer to another one."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        for message in range(KEPT_CONNECTIONS + 10):
            pool.post(message, 0, time.monotonic_ns())
        await until(lambda: len(pool.written) == KEPT_CONNECTIONS + 10)
        assert pool.connections == KEPT_CONNECTIONS + 10
        assert pool.answered == []
        pool.close()

    play(scenario, b"")


def test_messages_go_to_a_server_that_takes_connections() -> None:
    """This holds for messages that wait for the closed port, and for later ones."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(NO_SERVER, address)
        pool.post(0, 0, time.monotonic_ns())
        await until(lambda: 0 in pool.answered)
        pool.post(1, 0, time.monotonic_ns())
        await until(lambda: 1 in pool.answered)
        assert pool.written == {0: 1, 1: 1}
        assert pool.troubles[0].startswith("the publisher cannot connect to http://127.0.0.1:1: ")
        pool.close()

    play(scenario)


def test_a_message_that_finds_no_connection_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message was never sent, so it was certainly not stored."""
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.3)

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(NO_SERVER)
        pool.post(0, 0, time.monotonic_ns())
        await until(lambda: pool.expired == [0])
        assert (pool.written, pool.lost) == ({}, {})
        pool.close()

    play(scenario)


def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is closed. The message's outcome is unknown, with the reason."""
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.1)

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        pool.post(0, 0, time.monotonic_ns())
        await until(lambda: 0 in pool.written)
        await asyncio.sleep(0.15)
        pool.drop_overdue()
        await until(lambda: 0 in pool.lost)
        assert pool.lost == {0: "no answer within 0.1 s"}
        pool.close()

    play(scenario, b"")


def test_a_lost_connection_is_replaced() -> None:
    """The outcome of its message is unknown. The pool opens one connection in its place."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        pool.post(0, 0, time.monotonic_ns())
        await until(lambda: pool.lost == {0: "closed by the server"})
        assert pool.connections == 1
        pool.close()

    play(scenario, None)


def test_a_connection_that_the_server_closes_after_its_answer_is_replaced() -> None:
    """The pool posts nothing more on it, and no message is lost with it."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        for message in range(20):
            pool.post(message, 0, time.monotonic_ns())
            await until(lambda message=message: message in pool.answered)  # type: ignore[misc]  # bound at once
        assert (pool.lost, pool.broken) == ({}, [])
        pool.close()

    play(scenario, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


def test_a_server_that_speaks_no_http_is_told() -> None:
    """The message's outcome is unknown, with the reason. The connection is replaced."""

    async def scenario(address: ServerAddress) -> None:
        pool = Pool(address)
        pool.post(0, 0, time.monotonic_ns())
        await until(lambda: 0 in pool.lost)
        assert len(pool.broken) == 1
        assert pool.lost[0] == pool.broken[0]
        assert "expected an HTTP/1.1 answer" in pool.lost[0]
        pool.close()

    play(scenario, b"SSH-2.0-OpenSSH\r\n")


def test_a_proxy_that_closes_at_once_is_not_stormed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause before a replacement grows with each connection that brought no answer, up to a cap. It is random, so
    that replacements do not come in step."""
    monkeypatch.setattr(module, "KEPT_CONNECTIONS", 4)
    opened = 0

    class Door(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            nonlocal opened
            opened += 1
            transport.close()

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Door, "127.0.0.1", 0)
        pool = Pool(ServerAddress(name="server-1", host="127.0.0.1", port=server.sockets[0].getsockname()[1]))
        pool.open()
        await asyncio.sleep(0.5)
        pool.close()
        server.close()
        await asyncio.sleep(PAUSE_CAP_S)

    asyncio.run(main())
    assert 4 <= opened <= 20
    assert all(PAUSE_CAP_S / 2 <= pause_s(failures) <= PAUSE_CAP_S for failures in (4, 10, 1000))
