"""Asks servers to deliver what their subscribers miss: recovery by hand, POST /v1/rebroadcast of docs/protocol.md."""

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec

from harness.model.cluster import ServerAddress
from harness.model.errors import EnvironmentFailure

REQUEST_TIMEOUT_S = 60.0


class Answer(msgspec.Struct):
    """``channels`` were looked at, ``messages`` were missing and are delivered."""

    channels: int
    messages: int


async def rebroadcast(
    servers: Sequence[ServerAddress], token: str, *, channel: str | None = None
) -> dict[str, tuple[int, int]]:
    """Ask every server: (channels, messages) by its name. Raises EnvironmentFailure with all that did not do it."""
    problems: list[str] = []
    answers: dict[str, tuple[int, int]] = {}

    async def ask(server: ServerAddress, session: aiohttp.ClientSession) -> None:
        try:
            async with session.post(
                f"{server.url}/v1/rebroadcast",
                params={} if channel is None else {"channel": channel},
                timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
            ) as response:
                body = await response.read()
                if response.status != 200:
                    problems.append(f"{server.url} answers {response.status}: {body[:300].decode(errors='replace')}")
                    return
                answer = msgspec.json.decode(body, type=Answer)
                answers[server.name] = (answer.channels, answer.messages)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
            problems.append(f"{server.url}: {str(error) or type(error).__name__}")

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        await asyncio.gather(*(ask(server, session) for server in servers))
    if problems:
        raise EnvironmentFailure(f"not rebroadcast: {'; '.join(problems)}")
    return dict(sorted(answers.items()))


async def until_ready(servers: Sequence[ServerAddress], token: str, timeout_s: float) -> bool:
    """Whether every server said within ``timeout_s`` that its database and its backplane are up."""

    async def ready(server: ServerAddress, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.get(f"{server.url}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass  # not yet; the time is bounded below
            await asyncio.sleep(0.05)

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(ready(server, session) for server in servers))
        except TimeoutError:
            return False
    return True
