"""Waiting until a part answers, with made-up answers."""

import asyncio
from collections.abc import Sequence

import pytest

from harness.environments import readiness
from harness.environments.readiness import NotReady, component_refusal, server_refusal, until_answered
from harness.model.cluster import Endpoint, ServerAddress
from harness.model.errors import EnvironmentFailure, NeverReady
from harness.protocol.chat import Chat


def wait(answers: Sequence[str | None], *, casualty: str | None = None, limit_s: float = 60.0) -> int:
    """Waits with these answers; the last one is repeated. Returns the number of questions."""
    asked = 0

    async def question() -> str | None:
        nonlocal asked
        asked += 1
        return answers[min(asked, len(answers)) - 1]

    async def last_words() -> str:
        return "its last line"

    asyncio.run(until_answered("server-1", question, casualty=lambda: casualty, limit_s=limit_s, last_words=last_words))
    return asked


def test_it_asks_until_the_part_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer None means that the part is ready."""
    monkeypatch.setattr(readiness, "PAUSE_S", 0.0)
    assert wait([None]) == 1
    assert wait(["starting", "starting", None]) == 3


def test_a_part_that_has_ended_is_not_waited_for() -> None:
    """The error says how the part ended."""
    with pytest.raises(EnvironmentFailure, match="server-1 ended unexpectedly"):
        wait(["refused"], casualty="server-1 ended unexpectedly: exit code 2")


def test_after_the_limit_the_reason_and_the_log_are_told() -> None:
    """The reason is the part's last answer."""
    with pytest.raises(NotReady, match=r"server-1 was not ready after 0 s: starting; its last line"):
        wait(["starting"], limit_s=0.0)


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_port_where_nothing_listens_is_a_refusal(kind: str) -> None:
    """The refusal is a text, not an exception, and comes without a retry."""
    endpoint = Endpoint(kind=kind, host="127.0.0.1", port=1, user="u", password="p", database="d")
    assert asyncio.run(component_refusal(endpoint))
    address = ServerAddress(name="server-1", host="127.0.0.1", port=1)
    assert asyncio.run(server_refusal(address, "t", Chat(), Chat().health()))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_not_asked_again(status: int) -> None:
    """Waiting cannot correct a wrong token."""

    async def main() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 5\r\n\r\nwrong".encode())
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            address = ServerAddress(name="server-1", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            await server_refusal(address, "t", Chat(), Chat().health())

    with pytest.raises(NeverReady, match=f"answers with status {status}: wrong"):
        asyncio.run(main())
