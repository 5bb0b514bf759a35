import asyncio

import pytest

from harness.environments.together import together


def test_the_results_are_in_the_order_of_the_parts() -> None:
    """The order does not depend on which part finishes first."""

    async def after(turns: int, value: str) -> str:
        for _ in range(turns):
            await asyncio.sleep(0)
        return value

    async def main() -> list[str]:
        return await together(after(9, "first"), after(0, "second"))

    assert asyncio.run(main()) == ["first", "second"]


def test_when_one_part_fails_the_others_have_ended() -> None:
    """Only the first error is raised, also if another part fails while it is cancelled."""
    ended: list[str] = []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("first")

    async def waits(name: str) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(name)
            if name == "bad":
                raise ValueError("second")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="first"):
            await together(waits("good"), fails(), waits("bad"))
        assert sorted(ended) == ["bad", "good"]

    asyncio.run(main())
