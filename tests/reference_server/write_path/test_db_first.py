import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from reference_server.backplane.base import Outgoing
from reference_server.message_log.base import Log, LogError, LogUnavailable, OutcomeUnknown
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Post, Refused
from reference_server.protocol.server_events import message_frame
from reference_server.server_trace import Trace
from reference_server.write_path import db_first as db_first_module
from reference_server.write_path.base import Outcome
from reference_server.write_path.db_first import DbFirst
from tests.reference_server.fakes import until


class FakeLog:
    """Commits when the test allows it, counts batches, and remembers each client_msg_id."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.failure: LogError | None = None
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self._seq = 0
        self._known: dict[str, int] = {}

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> list[tuple[int, bool]]:
        self.batches.append(len(channels))
        await self.may_commit.wait()
        if self.failure is not None:
            raise self.failure
        rows = []
        for client_msg_id in client_msg_ids:
            if client_msg_id is not None and client_msg_id in self._known:
                rows.append((self._known[client_msg_id], True))
                continue
            self._seq += 1
            if client_msg_id is not None:
                self._known[client_msg_id] = self._seq
            rows.append((self._seq, False))
        return rows


class Rig:
    def __init__(self, *, pause_ms: float = 0.0, capacity: int = 1_000, takes: bool = True) -> None:
        self.log = FakeLog()
        self.published: list[Outgoing] = []
        self.takes = takes
        self.trace = Trace(1_000)
        self.path = DbFirst(
            cast(Log, self.log),
            self.publish,
            trace=self.trace,
            metrics=Metrics(),
            pause_ms=pause_ms,
            capacity=capacity,
        )

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        self.published.extend(messages)
        return self.takes

    def post(self, text: str = "x", client_msg_id: str | None = None) -> asyncio.Future[Outcome]:
        return self.path.submit(Post("c", text, client_msg_id), 1)

    async def __aenter__(self) -> "Rig":
        self._running = asyncio.create_task(self.path.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait((self._running,))


def test_an_acknowledged_message_is_committed_then_published() -> None:
    """The answer has the seq that the log assigned. The published frame is that of the protocol."""

    async def main() -> None:
        async with Rig() as rig:
            assert await rig.post("hello") == Outcome(1, False)
            assert rig.published == [Outgoing("c", 1, message_frame("c", 1, "hello"))]

    asyncio.run(main())


def test_nothing_is_published_before_its_commit() -> None:
    """Before the log has confirmed, nothing is published and the sender gets no answer."""

    async def main() -> None:
        async with Rig() as rig:
            rig.log.may_commit.clear()
            answer = rig.post()
            await until(lambda: rig.log.batches)
            assert not rig.published
            assert not answer.done()
            rig.log.may_commit.set()
            await answer

    asyncio.run(main())


def test_posts_that_come_together_share_a_commit() -> None:
    """Posts that arrive within the pause, or during a commit, are one batch of at most 256 rows."""

    async def main() -> None:
        async with Rig(pause_ms=1.0) as rig:
            await asyncio.gather(*[rig.post() for _ in range(db_first_module.BATCH_ROWS + 10)])
            assert rig.log.batches == [256, 10]

    asyncio.run(main())


def test_a_duplicate_is_answered_and_not_published_again() -> None:
    """The answer has the seq of the first message."""

    async def main() -> None:
        async with Rig() as rig:
            await rig.post("x", "id")
            assert await rig.post("x", "id") == Outcome(1, True)
            assert len(rig.published) == 1
            assert len(rig.trace.accepted) == 1

    asyncio.run(main())


def test_the_answer_does_not_depend_on_the_backplane() -> None:
    """If the backplane refuses the message, the post is still acknowledged. The trace shows 0 as the time of
    publication."""

    async def main() -> None:
        async with Rig(takes=False) as rig:
            assert (await rig.post()).seq == 1
            assert rig.trace.accepted.rows(0, 1)[0][-1] == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [(LogUnavailable("gone"), 503, "database_unavailable"), (OutcomeUnknown("lost"), 500, "outcome_unknown")],
)
def test_only_what_was_being_committed_can_be_unknown(failure: LogError, status: int, code: str) -> None:
    """A failed batch gets the status that is known. The queued posts behind it were certainly not sent."""

    async def main() -> None:
        async with Rig() as rig:
            rig.log.failure = failure
            rig.log.may_commit.clear()
            sent = rig.post()
            await until(lambda: rig.log.batches)
            queued = rig.post()
            rig.log.may_commit.set()
            with pytest.raises(Refused) as caught:
                await sent
            assert (caught.value.status, caught.value.code) == (status, code)
            with pytest.raises(Refused) as caught:
                await queued
            assert (caught.value.status, caught.value.code) == (503, "database_unavailable")
            rig.log.failure = None
            assert (await rig.post()).seq == 1
            assert rig.log.batches == [1, 1]
            assert len(rig.published) == 1

    asyncio.run(main())


def test_the_queue_is_bounded() -> None:
    """Over its capacity a post is refused at once."""

    async def main() -> None:
        async with Rig(capacity=2) as rig:
            waiting = [rig.post(), rig.post()]
            with pytest.raises(Refused) as caught:
                rig.post()
            assert (caught.value.status, caught.value.code) == (503, "overloaded")
            await asyncio.gather(*waiting)

    asyncio.run(main())


def test_a_sender_that_left_does_not_disturb_the_others() -> None:
    """The message of that sender is stored and published like any other."""

    async def main() -> None:
        async with Rig() as rig:
            gone, here = rig.post(), rig.post()
            gone.cancel()
            assert (await here).seq == 2
            assert len(rig.published) == 2

    asyncio.run(main())
