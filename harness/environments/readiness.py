"""Whether a part of a cluster answers. Each question returns None for yes, else the reason in words."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg

from harness.model.cluster import BrokerAddress, DatabaseAddress, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.protocol.contract import ClientProtocol, Request
from harness.protocol.exchange import open_session, refusal

ANSWER_TIMEOUT_S = 2.0
PAUSE_S = 0.03


class NotReady(EnvironmentFailure):
    """A part that lives but does not answer in time."""


async def postgres_refusal(address: DatabaseAddress) -> str | None:
    """A connection really works: it listens before it lets anybody in."""
    try:
        connection = await asyncpg.connect(**address.arguments, timeout=ANSWER_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return str(error) or type(error).__name__
    await connection.close(timeout=ANSWER_TIMEOUT_S)
    return None


async def redis_refusal(address: BrokerAddress) -> str | None:
    """It lets us in and answers PING."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(f"AUTH {address.password}\r\nPING\r\n".encode())
                answers = [await reader.readline(), await reader.readline()]
            finally:
                writer.close()
    except OSError as error:
        return str(error) or type(error).__name__
    return None if answers == [b"+OK\r\n", b"+PONG\r\n"] else b" ".join(answers).decode("utf-8", "replace").strip()


async def server_refusal(address: ServerAddress, token: str, protocol: ClientProtocol, request: Request) -> str | None:
    """``request`` (the protocol's health: alive; its readiness: with all that it depends on) is answered with 200."""
    async with open_session(protocol, token) as session:
        return await refusal(session, address, request, timeout_s=ANSWER_TIMEOUT_S)


async def until_answered(
    name: str,
    question: Callable[[], Awaitable[str | None]],
    *,
    casualty: Callable[[], str | None],
    limit_s: float,
) -> None:
    """Return when ``question`` is answered with yes.

    Raises EnvironmentFailure with the casualty, or NotReady with the last reason after ``limit_s``.
    """
    deadline_s = time.monotonic() + limit_s
    while refusal := await question():
        if found := casualty():
            raise EnvironmentFailure(found)
        if time.monotonic() > deadline_s:
            raise NotReady(f"{name} was not ready after {limit_s:g} s: {refusal}")
        await asyncio.sleep(PAUSE_S)
