"""The adapter of Redis against a listener with prepared answers."""

import asyncio

import pytest

from harness.components.redis import RedisAdapter
from harness.model.cluster import Endpoint
from harness.model.errors import NeverReady


def refusal(answer: bytes, *, user: str = "") -> tuple[str | None, bytes]:
    """The adapter's refusal for this ``answer``, and the bytes that the adapter sent."""

    async def main() -> tuple[str | None, bytes]:
        sent = b""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            sent += await reader.readuntil(b"PING\r\n")
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = Endpoint(kind="redis", host="127.0.0.1", port=port, user=user, password="secret")
            return await RedisAdapter().refusal(endpoint), sent

    return asyncio.run(main())


def test_it_lets_the_harness_in() -> None:
    """The login holds a user only if the address names one."""
    ping = b"*1\r\n$4\r\nPING\r\n"
    assert refusal(b"+OK\r\n+PONG\r\n") == (None, b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" + ping)
    found, sent = refusal(b"+OK\r\n+PONG\r\n", user="ada")
    assert (found, sent) == (None, b"*3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n$6\r\nsecret\r\n" + ping)


@pytest.mark.parametrize("answer", [b"-WRONGPASS invalid\r\n-NOAUTH\r\n", b"-NOPERM no\r\n-NOPERM no\r\n"])
def test_a_refused_login_is_not_asked_again(answer: bytes) -> None:
    """Waiting cannot correct a wrong password or a missing right."""
    with pytest.raises(NeverReady, match="refuses the login"):
        refusal(answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"+OK\r\n-LOADING Redis is loading\r\n", "-LOADING"),
        (b"", ""),
    ],
)
def test_any_other_answer_is_the_reason(answer: bytes, reason: str) -> None:
    """An empty answer is a reason too."""
    found, _ = refusal(answer)
    assert found is not None
    assert reason in found


def test_settings_that_cannot_be_read_are_absent() -> None:
    """The broker may be down. The adapter does not raise."""
    endpoint = Endpoint(kind="redis", host="127.0.0.1", port=1, password="secret")
    assert asyncio.run(RedisAdapter().settings(endpoint)) == {}
