"""A relay in one link: a program that takes connections and passes on what comes, in both directions.

It is what a fault breaks in the place of the link. Stopped or killed, it closes the connections that it carries, and new
ones are refused until it is started again. Frozen, it keeps them open: the kernel takes what the ends send, up to its
buffers, and takes new connections too, but nothing passes until the relay is continued. Then everything passes, in order.
"""

import asyncio
import contextlib
import sys

HOST = "127.0.0.1"
CHUNK_BYTES = 262_144


async def relay(port: int, host: str, port_beyond: int) -> None:
    """Take connections at ``port`` and connect each to ``host``, ``port_beyond``, until cancelled."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond_reader, beyond_writer = await asyncio.open_connection(host, port_beyond)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(_pass_on(reader, beyond_writer)),
            asyncio.create_task(_pass_on(beyond_reader, writer)),
        ]
        try:
            # When one end closes its connection, or loses it, the other end's is closed as well.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (writer, beyond_writer):
                each.close()
        await asyncio.wait(ways)

    async with await asyncio.start_server(serve, HOST, port) as server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    # A stop by signal is the way to end it.
    asyncio.run(relay(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
