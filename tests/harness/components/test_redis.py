"""The adapter of Redis against a listener with prepared answers."""

import asyncio

import pytest

from harness.components.redis import RedisAdapter
from harness.model.cluster import Endpoint


def refusal(answer: bytes, *, user: str = "") -> tuple[str | None, bytes]:
    """What the adapter makes of ``answer``, and what it sent."""

    async def main() -> tuple[str | None, bytes]:
        sent = b""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            sent += await reader.readline() + await reader.readline()
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = Endpoint(kind="redis", host="127.0.0.1", port=port, user=user, password="secret")
            return await RedisAdapter().refusal(endpoint), sent

    return asyncio.run(main())


def test_it_lets_the_harness_in() -> None:
    """With a user where the address names one."""
    assert refusal(b"+OK\r\n+PONG\r\n") == (None, b"AUTH secret\r\nPING\r\n")
    assert refusal(b"+OK\r\n+PONG\r\n", user="ada") == (None, b"AUTH ada secret\r\nPING\r\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"-WRONGPASS invalid\r\n-NOAUTH\r\n", "-WRONGPASS invalid"),
        (b"+OK\r\n-LOADING Redis is loading\r\n", "-LOADING"),
        (b"", ""),
    ],
)
def test_any_other_answer_is_the_reason(answer: bytes, reason: str) -> None:
    """Also none at all."""
    found, _ = refusal(answer)
    assert found is not None
    assert reason in found


def test_settings_that_cannot_be_read_are_absent() -> None:
    """A broker may be away."""
    endpoint = Endpoint(kind="redis", host="127.0.0.1", port=1, password="secret")
    assert asyncio.run(RedisAdapter().settings(endpoint)) == {}
