"""The relay program between two ends in this process."""

import asyncio
import contextlib

from harness.environments.embedded.link_relay import HOST, relay
from harness.environments.ports import free_ports


def test_what_comes_passes_both_ways_until_one_end_closes() -> None:
    """All bytes arrive in order, also when they exceed the buffers. When one end closes, the relay closes the other end
    too."""
    sent = bytes(range(256)) * 40_000

    async def main() -> tuple[bytes, bytes]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(len(sent)))
            await writer.drain()
            writer.close()

        port, beyond = free_ports(2)
        async with await asyncio.start_server(answer, HOST, beyond), asyncio.timeout(20):
            running = asyncio.create_task(relay(port, HOST, beyond))
            reader, writer = await connected(port)
            writer.write(sent)
            answered = await reader.readexactly(len(sent))
            rest = await reader.read()
            writer.close()
            running.cancel()
            await asyncio.wait((running,))
            return answered, rest

    assert asyncio.run(main()) == (sent, b"")


def test_without_a_listener_beyond_the_connection_is_closed() -> None:
    """The client sees the same as without a relay. It must not wait for an answer that cannot come."""

    async def main() -> bytes:
        port, beyond = free_ports(2)
        running = asyncio.create_task(relay(port, HOST, beyond))
        async with asyncio.timeout(10):
            reader, writer = await connected(port)
            rest = await reader.read()
        writer.close()
        running.cancel()
        await asyncio.wait((running,))
        return rest

    assert asyncio.run(main()) == b""


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return await asyncio.open_connection(HOST, port)
        await asyncio.sleep(0.01)
