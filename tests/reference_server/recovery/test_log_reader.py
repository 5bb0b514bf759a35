import asyncio

from reference_server.message_log.base import LogUnavailable
from tests.reference_server.recovery.rig import Rig


def test_many_subscribers_are_few_questions() -> None:
    """Questions that come during a read share the next read. Each different question is asked once."""

    async def main() -> None:
        async with Rig() as rig:
            await asyncio.gather(*[rig.join(f"channel-{i % 100}") for i in range(1_000)])
            assert len(rig.log.questions) <= 4

    asyncio.run(main())


def test_every_question_gets_the_failure() -> None:
    """Each failed question gets its own error. The next question is asked as usual."""

    async def main() -> None:
        async with Rig() as rig:
            rig.log.down = True
            results = await asyncio.gather(*[rig.catch_up.reader.newest("c") for _ in range(3)], return_exceptions=True)
            assert [type(result) for result in results] == [LogUnavailable] * 3
            rig.log.down = False
            assert await rig.catch_up.reader.newest("c") == 0

    asyncio.run(main())
