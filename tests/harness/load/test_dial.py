"""Connecting to addresses, with and without a listener."""

import asyncio
import socket
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from harness.load.dial import connect, dial
from harness.model.cluster import ServerAddress
from harness.model.tls import Tls
from tests.tls_proxy import Authority


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run ``work`` on the event loop that the load workers use."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def a_listener(family: socket.AddressFamily = socket.AF_INET, *, backlog: int = 8) -> socket.socket:
    listener = socket.socket(family)
    listener.bind(("::1" if family is socket.AF_INET6 else "127.0.0.1", 0))
    listener.listen(backlog)
    return listener


def address_of(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return host, port


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_listener_is_reached(family: socket.AddressFamily) -> None:
    """The socket is connected and non-blocking, as asyncio needs it."""
    try:
        listener = a_listener(family)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    with listener:
        sock = run(dial(*address_of(listener)))
        with sock, listener.accept()[0] as accepted:
            assert sock.getpeername() == listener.getsockname()
            assert sock.getsockname() == accepted.getpeername()
            assert not sock.getblocking()


def test_a_refused_connect_raises_the_usual_error() -> None:
    """Reports quote this error, so it is the same ConnectionRefusedError as everywhere."""
    with a_listener() as listener:
        address = address_of(listener)
    with pytest.raises(ConnectionRefusedError):
        run(dial(*address))


def test_a_name_is_left_to_the_resolver() -> None:
    """For a host name `dial` opens no connection and returns None."""
    assert run(dial("localhost", 1)) is None


async def dial_until_full(address: tuple[str, int]) -> list[socket.socket]:
    """Sockets that fill the listener's queue. The connect that found the queue full was given up."""
    through: list[socket.socket] = []
    while len(through) < 50:
        try:
            async with asyncio.timeout(0.3):
                sock = await dial(*address)
        except TimeoutError:
            break
        assert sock is not None
        through.append(sock)
    return through


def test_giving_up_leaves_nothing_behind() -> None:
    """A connect takes long if the server does not accept. After it is given up its socket is closed, and the event loop
    no longer watches it."""

    async def main(address: tuple[str, int]) -> None:
        before = psutil.Process().num_fds()
        through = await dial_until_full(address)
        assert 0 < len(through) < 50
        for sock in through:
            sock.close()
        assert psutil.Process().num_fds() == before

    with a_listener(backlog=1) as listener:
        run(main(address_of(listener)))


def test_a_full_queue_is_waited_for() -> None:
    """The connect succeeds after the server accepts again, with the kernel's next try about a second later."""

    async def main(listener: socket.socket) -> None:
        through = await dial_until_full(address_of(listener))
        late = asyncio.create_task(dial(*address_of(listener)))
        await asyncio.sleep(0.05)
        assert not late.done()
        accepted = [listener.accept()[0] for _ in through]
        async with asyncio.timeout(20):
            sock = await late
        assert sock is not None
        assert sock.getpeername() == listener.getsockname()
        for one in (*through, *accepted, sock):
            one.close()

    with a_listener(backlog=1) as listener:
        run(main(listener))


class Receiver(asyncio.Protocol):
    """Keeps its transport and the bytes that it receives."""

    def __init__(self) -> None:
        self.received = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received.set_result(data)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_with_tls_the_name_and_the_authority_are_verified(host: str, tmp_path: Path) -> None:
    """The client verifies both before it sends the first byte. It receives data as bytes, because clients look frames
    up by bytes."""
    authority = Authority(tmp_path)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # ignores the refused handshakes
        server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=authority.context(host))
        try:
            port = server.sockets[0].getsockname()[1]
            known = Tls(authorities=authority.file.read_text())
            async with asyncio.timeout(20):
                receiver = await connect(Receiver, ServerAddress(name="s", host=host, port=port, tls=known))
                found = await receiver.received
                assert (type(found), found) == (bytes, b"hello")
                receiver.transport.close()
                other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[host]
                for address, tls in ((host, Tls()), (other, known)):
                    with pytest.raises(ssl.SSLCertVerificationError):
                        await connect(Receiver, ServerAddress(name="s", host=address, port=port, tls=tls))
        finally:
            server.close()

    run(main())
