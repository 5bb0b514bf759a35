"""A connection to PostgreSQL that only listens. It does not come from a pool: a pool ends LISTEN when it takes a
connection back."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

KEEP_ALIVE_S = 1.0
ANSWER_TIMEOUT_S = 2.0


class ListenerLost(Exception):
    """The connection could not be made, was lost, or did not answer."""


async def listen(
    address: dict[str, Any],
    *,
    name: str,
    channel: str,
    on_payload: Callable[[str], None],
    on_listening: Callable[[], None],
) -> None:
    """Listen until the connection fails; then raise ListenerLost. ``on_listening`` is called when LISTEN is
    confirmed."""
    connection: asyncpg.Connection | None = None
    lost = asyncio.Event()

    def heard(_connection: object, _pid: int, _channel: str, payload: str) -> None:
        on_payload(payload)

    try:
        connection = await asyncpg.connect(
            **address, timeout=ANSWER_TIMEOUT_S, server_settings={"application_name": name}
        )
        connection.add_termination_listener(lambda _: lost.set())
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await connection.add_listener(channel, heard)  # returns when LISTEN is confirmed
        on_listening()
        while not lost.is_set():
            # Only a query without an answer shows that a peer is gone or frozen.
            await connection.execute("SELECT 1", timeout=ANSWER_TIMEOUT_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await lost.wait()
        raise ListenerLost("closed by PostgreSQL")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ListenerLost(str(error) or type(error).__name__) from error
    finally:
        if connection is not None:
            connection.terminate()
