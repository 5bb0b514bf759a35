import asyncio
from collections.abc import Callable

import pytest
import uvloop

from reference_server.backplane import resp_connection
from tests.reference_server.fake_redis import FakeRedis
from tests.reference_server.fakes import until


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_that_is_lost_takes_nothing_and_raises_nothing(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """A commit may publish after the loss, before the server notices it. That must not raise an error."""

    async def main() -> None:
        async with FakeRedis().running() as redis:
            connection = await resp_connection.RespConnection.open("127.0.0.1", redis.port, None, lambda _: None)
            connection.abort()
            await until(lambda: connection.lost)
            for _ in range(3):
                connection.send(("PING",))
                await asyncio.sleep(0)
            with pytest.raises(ConnectionResetError):
                await connection.keep_alive()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
