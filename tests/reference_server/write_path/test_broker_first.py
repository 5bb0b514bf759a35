"""A post is acknowledged after its publication and stored later."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reference_server.backplane.sequencer import Numbered, NumberUnknown, SequencerDown, SequencerError, Unseeded
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Post, Refused
from reference_server.protocol.protocol_limits import Limits
from reference_server.server_trace import Trace
from reference_server.write_path import broker_first
from reference_server.write_path.base import Outcome, WritePathContext
from reference_server.write_path.broker_first import BrokerFirst
from tests.reference_server.fakes import until


class FakeSequencer:
    def __init__(self) -> None:
        self.newest_given: int | None = None
        self.failure: SequencerError | None = None
        self.found: int | None = None

    async def publish(self, post: Post, *, known: int, seed: int | None) -> Numbered:
        if self.failure is not None:
            raise self.failure
        if self.newest_given is None and seed is None:
            raise Unseeded
        self.newest_given = max(known, self.newest_given if self.newest_given is not None else seed or 0) + 1
        return Numbered(self.newest_given, False, 1)

    async def until_up(self) -> None:
        return None

    async def find(self, channel: str, client_msg_id: str) -> int | None:
        return self.found


class FakeLog:
    def __init__(self) -> None:
        self.may_store = asyncio.Event()
        self.stored: list[int] = []

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(channels, 41)

    async def store(self, channels: Any, seqs: Sequence[int], texts: Any, ids: Any) -> list[bool]:
        await self.may_store.wait()
        self.stored += seqs
        return [True] * len(seqs)


class Rig:
    def __init__(self, capacity: int = 100) -> None:
        self.log, self.sequencer, self.trace = FakeLog(), FakeSequencer(), Trace(100)
        settings = SimpleNamespace(limits=Limits(queued_posts=capacity), commit_pause_ms=0.0)
        context = WritePathContext(
            settings=cast(Any, settings),
            log=cast(Any, self.log),
            publish=lambda messages: True,
            trace=self.trace,
            metrics=Metrics(),
        )
        self.path = BrokerFirst(context, cast(Any, self.sequencer))

    async def __aenter__(self) -> "Rig":
        self._task = asyncio.create_task(self.path.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))


POST = Post("c", "hello", "id-1")


def test_the_answer_does_not_wait_for_the_log() -> None:
    """The seq follows the newest stored one. The time of COMMIT is added to the trace later."""

    async def main() -> None:
        async with Rig() as rig:
            assert await rig.path.submit(POST, 7) == Outcome(42, False)
            assert rig.trace.accepted.rows(0, 9)[0][:4] == ("c", 42, 7, 0)
            assert rig.path.queued == 1
            rig.log.may_store.set()
            await rig.path.finish()
            assert rig.log.stored == [42]
            (row,) = rig.trace.accepted.rows(0, 9)
            assert row[3] >= row[4] > 0, "stored after it was published"

    asyncio.run(main())


def test_a_full_queue_refuses_and_drops_nothing() -> None:
    """While the log is down the queue becomes full. Then a post gets 503."""

    async def main() -> None:
        async with Rig(capacity=3) as rig:
            for _ in range(3):
                await rig.path.submit(POST, 1)
            with pytest.raises(Refused) as refused:
                await rig.path.submit(POST, 1)
            assert (refused.value.status, refused.value.code) == (503, "overloaded")
            rig.log.may_store.set()
            await rig.path.finish()
            assert len(rig.log.stored) == 3

    asyncio.run(main())


def test_without_the_broker_nothing_is_taken() -> None:
    """The answer is 503, because the message is certainly not published."""

    async def main() -> None:
        async with Rig() as rig:
            rig.sequencer.failure = SequencerDown("away")
            with pytest.raises(Refused) as refused:
                await rig.path.submit(POST, 1)
            assert (refused.value.status, refused.value.code, rig.path.queued) == (503, "broker_unavailable", 0)

    asyncio.run(main())


@pytest.mark.parametrize(("found", "stored"), [(9, [9]), (None, [])])
def test_a_lost_answer_is_looked_up_in_the_broker(
    monkeypatch: pytest.MonkeyPatch, found: int | None, stored: list[int]
) -> None:
    """The sender gets ``outcome_unknown``. If the message was published, the server still stores it."""
    monkeypatch.setattr(broker_first, "RESOLVE_PAUSE_S", 0.001)

    async def main() -> None:
        async with Rig() as rig:
            rig.log.may_store.set()
            rig.sequencer.failure = NumberUnknown("lost")
            rig.sequencer.found = found
            with pytest.raises(Refused) as refused:
                await rig.path.submit(POST, 1)
            assert (refused.value.status, refused.value.code) == (500, "outcome_unknown")
            await until(lambda: not rig.path._doubtful)
            await rig.path.finish()
            assert rig.log.stored == stored

    asyncio.run(main())
