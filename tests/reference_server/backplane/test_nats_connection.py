import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from reference_server.backplane.nats_connection import NatsConnection

INFO = b'INFO {"server_id":"x","max_payload":1048576}\r\n'


@asynccontextmanager
async def peer(*answers: bytes, split: bool = False) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A listener that sends INFO, and ``answers`` after the first PING. With ``split`` it sends single bytes. It yields
    its port and the lines that it received."""
    lines: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(INFO)
        with suppress(ConnectionError):
            while line := await reader.readline():
                lines.append(line)
                if line == b"PING\r\n" and lines.count(line) == 1:
                    for answer in answers:
                        for piece in [answer[at : at + 1] for at in range(len(answer))] if split else [answer]:
                            writer.write(piece)
                            await asyncio.sleep(0)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], lines
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)  # the transports close in the next turns


@pytest.mark.parametrize("split", [False, True])
def test_messages_are_read_from_pieces_of_any_size(split: bool) -> None:
    """One segment has several messages, or one message has many segments. One payload looks like a command, and one
    message has a reply subject."""
    found: list[tuple[bytes, bytes]] = []

    async def main() -> None:
        stream = b"PONG\r\nMSG s 1 9\r\nMSG x\r\n..\r\nMSG s 22 reply 0\r\n\r\nPING\r\n+OK\r\nMSG s 3 1\r\nz\r\n"
        async with peer(stream, split=split) as (port, lines):
            connection = await NatsConnection.open(
                "127.0.0.1", port, {"auth_token": "t"}, lambda number, payload: found.append((number, payload))
            )
            async with asyncio.timeout(5):
                while len(found) < 3 or b"PONG\r\n" not in lines:
                    await asyncio.sleep(0.01)
            assert b'"auth_token": "t"' in lines[0]
            connection.abort()

    asyncio.run(main())
    assert found == [(b"1", b"MSG x\r\n.."), (b"22", b""), (b"3", b"z")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"-ERR 'Authorization Violation'\r\n", "Authorization Violation"),
        (b"+PONG\r\n", "not a NATS server"),
        (b"x" * 100_000, "not a NATS server"),
        (b"MSG s\r\n", "not a NATS server"),
    ],
)
def test_any_other_answer_is_an_error(answer: bytes, error: str) -> None:
    """The OSError says that the login was refused, or that the peer is not a NATS server."""

    async def main() -> None:
        async with peer(answer) as (port, _):
            opening = asyncio.ensure_future(NatsConnection.open("127.0.0.1", port, {}, lambda *_: None))
            with pytest.raises(OSError, match=error):
                await opening

    asyncio.run(main())
