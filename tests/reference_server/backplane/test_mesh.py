"""Meshes in one process, with leases in a real PostgreSQL and links over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from reference_server.backplane import mesh_link
from reference_server.backplane.base import Outgoing
from reference_server.backplane.mesh import Mesh, MeshSettings, Peer
from reference_server.message_log.postgresql_address import Postgres as PostgresAddress
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.metrics import Metrics
from tests.reference_server.fakes import FakeReceiver, until
from tests.reference_server.stack import Postgres, free_port, fresh

pytestmark = pytest.mark.integration


class Member:
    def __init__(self, postgres: Postgres, name: str, ports: dict[str, int], token: str = "t") -> None:
        connection = PostgresqlConnection(PostgresAddress(**postgres.settings), name=name, statement_timeout_ms=5_000)
        peers = tuple(Peer(name=peer, host="127.0.0.1", port=port) for peer, port in ports.items() if peer != name)
        self.metrics, self.receiver = Metrics(), FakeReceiver()
        section = MeshSettings(port=ports[name], peers=peers)
        self.mesh = Mesh(section, connection, name=name, token=token, metrics=self.metrics)

    def gauge(self, name: str) -> float:
        return self.metrics.gauges[f"mesh_{name}"][1]()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Member"]:
        running = asyncio.create_task(self.mesh.run(self.receiver))
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.wait((running,))


def ports_of(count: int) -> dict[str, int]:
    prefix = fresh("s")
    return {f"{prefix}-{n}": free_port() for n in range(count)}


def members(postgres: Postgres, count: int) -> list[Member]:
    ports = ports_of(count)
    return [Member(postgres, name, ports) for name in ports]


async def all_up(stack: AsyncExitStack, servers: list[Member]) -> None:
    for server in servers:
        await stack.enter_async_context(server.running())
    await until(lambda: all(server.mesh.up for server in servers))


def test_a_message_goes_to_the_servers_that_want_it(postgres: Postgres) -> None:
    """Each pair of servers has one link, and a server is up only when it knows the interest of its peers. A server
    without interest in the channel gets no message."""

    async def main() -> None:
        first, second, third = servers = members(postgres, 3)
        for server in (first, third):
            server.mesh.subscribe(["a"])
        async with AsyncExitStack() as stack:
            await all_up(stack, servers)
            assert [server.gauge("links") for server in servers] == [2, 2, 2]
            assert all(server.gauge("complete_seconds") > 0 for server in servers)
            message = Outgoing("a", 7, bytes(range(256)))
            assert first.mesh.publish([message])
            assert ("message", *message) not in first.receiver.events, "it arrives after it was handed over"
            await until(lambda: ("message", *message) in third.receiver.events)
            assert ("message", *message) in first.receiver.events
            second.mesh.subscribe(["b"])
            await until(lambda: ("subscribed", "b") in second.receiver.events)
            assert third.mesh.publish([Outgoing("b", 1, b"b")])
            await until(lambda: ("message", "b", 1, b"b") in second.receiver.events)
            assert not [event for event in second.receiver.events if event[:2] == ("message", "a")]

    asyncio.run(main())


def test_a_cut_link_is_down_until_it_is_back(postgres: Postgres) -> None:
    """Both ends report down, and later up and subscribed. The new link is counted."""

    async def main() -> None:
        first, second = servers = members(postgres, 2)
        second.mesh.subscribe(["a"])
        async with AsyncExitStack() as stack:
            await all_up(stack, servers)
            next(iter(first.mesh._links.values())).abort()
            await until(lambda: all(("down",) in server.receiver.events for server in servers))
            await until(lambda: all(server.mesh.up for server in servers))
            assert second.receiver.events[-2:] == [("up",), ("subscribed", "a")]
            assert first.gauge("reconnections") == 1
            assert first.mesh.publish([Outgoing("a", 1, b"x")])
            await until(lambda: ("message", "a", 1, b"x") in second.receiver.events)

    asyncio.run(main())


def test_a_server_that_is_gone_is_not_waited_for(postgres: Postgres) -> None:
    """The stopped server gives up its lease, and the others are up without it."""

    async def main() -> None:
        first, second, third = members(postgres, 3)
        async with AsyncExitStack() as stack:
            await all_up(stack, [first, second])
            async with third.running():
                await until(lambda: third.mesh.up)
            await until(lambda: first.gauge("links") == 1 and first.mesh.up and second.mesh.up)

    asyncio.run(main())


def test_what_a_slow_peer_cannot_take_is_pointed_at(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue for a peer is bounded. Beyond the limit the message is dropped and counted, and the peer gets a pointer
    to the log."""

    async def main() -> None:
        first, second = servers = members(postgres, 2)
        second.mesh.subscribe(["a"])
        async with AsyncExitStack() as stack:
            await all_up(stack, servers)
            with monkeypatch.context() as patched:
                patched.setattr(mesh_link, "WRITE_LIMIT_BYTES", -1)
                first.mesh.publish([Outgoing("a", 3, b"x")])
                await until(lambda: first.gauge("dropped") == 1)
            await until(lambda: ("newer", "a", 3) in second.receiver.events)

    asyncio.run(main())


def test_a_stranger_gets_no_link(postgres: Postgres) -> None:
    """A server with another token does not belong to this mesh, even with a known name."""

    async def main() -> None:
        ports = ports_of(2)
        one, other = ports
        first, stranger = Member(postgres, one, ports), Member(postgres, other, ports, token="guessed")
        async with first.running(), stranger.running():
            await asyncio.sleep(0.5)
            assert first.gauge("links") == stranger.gauge("links") == 0
            assert not first.mesh.up

    asyncio.run(main())
