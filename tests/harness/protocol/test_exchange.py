"""Requests of a client protocol over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from harness.model.cluster import ServerAddress
from harness.protocol.chat import Chat
from harness.protocol.contract import Request
from harness.protocol.exchange import EXCHANGE_ERRORS, exchange, handshake_refusal, open_session, refusal

NO_SERVER = ServerAddress(name="server-1", host="127.0.0.1", port=1)


@asynccontextmanager
async def serving() -> AsyncIterator[ServerAddress]:
    """A server that answers 200 with method, query and token. /down answers 503, and /silent does not answer."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/silent":
            await asyncio.sleep(30)
        token = request.headers.get("Authorization")
        status = 503 if request.path == "/down" else 200
        return web.Response(status=status, text=f"{request.method} {request.query_string} {token}")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ServerAddress(name="server-1", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


def test_a_request_carries_method_parameters_and_headers() -> None:
    """The caller gets the answer and its status, for every status."""

    async def scenario() -> None:
        async with serving() as server, open_session(Chat(), "t0ken") as session:
            request = Request(method="POST", path="/x", parameters={"a": 1, "b": "c"})
            response = await exchange(session, server, request, timeout_s=5)
            assert (response.status, response.body) == (200, b"POST a=1&b=c Bearer t0ken")
            assert (await exchange(session, server, Request(path="/down"), timeout_s=5)).status == 503

    asyncio.run(scenario())


def test_a_refusal_is_a_reason() -> None:
    """The result is None for 200, the server's text for another status, and the error if there is no answer."""

    async def scenario() -> None:
        async with serving() as server, open_session(Chat(), "t0ken") as session:
            assert await refusal(session, server, Request(path="/up"), timeout_s=5) is None
            assert await refusal(session, server, Request(path="/down"), timeout_s=5) == "GET  Bearer t0ken"
            assert await refusal(session, server, Request(path="/silent"), timeout_s=0.1)
            assert await refusal(session, NO_SERVER, Request(path="/up"), timeout_s=5)

    asyncio.run(scenario())


def test_no_answer_is_an_error() -> None:
    """The error is one of EXCHANGE_ERRORS, so that every caller catches the same errors."""

    async def scenario() -> None:
        async with open_session(Chat(), "t0ken") as session:
            with pytest.raises(EXCHANGE_ERRORS):
                await exchange(session, NO_SERVER, Request(path="/"), timeout_s=5)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "disconnected"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "no HTTP/1.1; is it a server of https://?"),
        (b"-ERR unknown command\r\n", "no HTTP/1.1"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n", "status 301"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "status 401"),
    ],
)
def test_why_there_is_no_answer_is_said_in_one_line(sent: bytes, words: str) -> None:
    """The line names a cause that a person can act on. The token does not follow a redirection to another host."""

    async def main() -> tuple[str | None, str | None]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            address = ServerAddress(name="s", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            async with open_session(Chat(), "t") as session:
                return (
                    await refusal(session, address, Chat().health(), timeout_s=5),
                    await handshake_refusal(session, address, Chat(), timeout_s=5),
                )

    for found in asyncio.run(main()):
        assert found is not None
        assert words in found
        assert "\n" not in found


def test_an_unknown_name_and_a_closed_port_give_different_reasons() -> None:
    async def main(host: str) -> str | None:
        async with open_session(Chat(), "t") as session:
            address = ServerAddress(name="s", host=host, port=1)
            return await refusal(session, address, Chat().health(), timeout_s=5)

    assert "connection refused" in str(asyncio.run(main("127.0.0.1")))
    unknown = str(asyncio.run(main("no-such-host.invalid")))
    assert "its name cannot be resolved" in unknown
    assert "ssl" not in unknown
