import asyncio

import pytest

from reference_server.backplane import reconnection
from reference_server.backplane.reconnection import Reconnection


class Fake:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_it_tries_again_after_every_failure_and_closes_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds for failed and for lost connections. The upper limit of the random pause doubles up to a second."""
    limits_s: list[float] = []

    def shortest(_: float, limit_s: float) -> float:
        limits_s.append(limit_s)
        return 0.0

    monkeypatch.setattr("random.uniform", shortest)
    opened: list[Fake] = []

    async def connect() -> Fake:
        if len(limits_s) % 2:
            raise ConnectionRefusedError("no listener")
        opened.append(Fake())
        return opened[-1]

    async def serve(_: Fake) -> None:
        raise ConnectionResetError("cut off")

    async def main() -> None:
        keeping = asyncio.create_task(Reconnection().keep("test", connect, serve))
        async with asyncio.timeout(5):
            while len(limits_s) < 8:
                await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.wait((keeping,))

    asyncio.run(main())
    assert all(one.aborted for one in opened)
    assert len(opened) >= 4
    assert limits_s[:3] == [0.1, 0.2, 0.4]
    assert max(limits_s) == reconnection.BACK_OFF_CAP_S


def test_another_error_ends_it() -> None:
    """A bug must not look like a broker that is down."""

    async def connect() -> Fake:
        raise ValueError("a bug")

    async def serve(_: Fake) -> None:
        raise AssertionError("no test reaches this")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(Reconnection().keep("test", connect, serve))
