import asyncio
from collections.abc import Sequence

from reference_server.recovery.coalesced_reads import CoalescedReads


def test_an_answer_is_never_older_than_its_question() -> None:
    """The same question is already running, and its answer may be too old. So the new question is asked again."""

    async def main() -> None:
        answers = iter((1, 2))
        asked = asyncio.Event()
        go_on = asyncio.Event()

        async def ask(questions: Sequence[str]) -> list[int]:
            answer = next(answers)
            asked.set()
            await go_on.wait()
            return [answer] * len(questions)

        coalesced = CoalescedReads[str, int](ask, at_once=10)
        running = asyncio.create_task(coalesced.run())
        first = asyncio.create_task(coalesced.get("q"))
        await asked.wait()
        second = asyncio.create_task(coalesced.get("q"))
        await asyncio.sleep(0)
        go_on.set()
        assert (await first, await second) == (1, 2)
        running.cancel()

    asyncio.run(main())
