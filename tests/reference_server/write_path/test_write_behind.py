"""An acknowledged message is tried until it is stored. A message that cannot be stored does not stop the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from reference_server.message_log.base import Log, LogError, LogUnavailable, OutcomeUnknown
from reference_server.metrics import Metrics
from reference_server.write_path import write_behind
from reference_server.write_path.write_behind import Behind, WriteBehind
from tests.reference_server.fakes import until


class FakeLog:
    """Stores messages, raises the given failures, and refuses batches with the text "poison"."""

    def __init__(self) -> None:
        self.stored: list[int] = []
        self.failures: list[LogError] = []

    async def store(self, channels: Any, seqs: Sequence[int], texts: Sequence[str], ids: Any) -> list[bool]:
        if self.failures:
            raise self.failures.pop(0)
        if "poison" in texts:
            raise LogUnavailable("refused")
        self.stored += [seq for seq, text in zip(seqs, texts, strict=True) if text != "conflict"]
        return [text != "conflict" for text in texts]

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        return {}


@asynccontextmanager
async def running(log: FakeLog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[WriteBehind, Metrics]]:
    monkeypatch.setattr(write_behind, "BACK_OFF_BASE_S", 0.0)
    metrics = Metrics()
    behind = WriteBehind(cast(Log, log), metrics=metrics, pause_ms=0.0)
    task = asyncio.create_task(behind.run())
    try:
        yield behind, metrics
    finally:
        task.cancel()
        await asyncio.wait((task,))


def row(seq: int, text: str, done: list[int]) -> Behind:
    return Behind("c", seq, text, None, lambda: done.append(seq))


def test_a_failed_batch_is_repeated_until_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch with an unknown outcome is repeated too, because storing a message twice changes nothing."""

    async def main() -> None:
        log, done = FakeLog(), list[int]()
        log.failures = [OutcomeUnknown("lost"), LogUnavailable("away")]
        async with running(log, monkeypatch) as (behind, metrics):
            for seq in (1, 2, 3):
                behind.put(row(seq, "text", done))
            await behind.finish()
            assert log.stored == done == [1, 2, 3]
            assert (len(behind), metrics.set_aside) == (0, 0)

    asyncio.run(main())


def test_a_row_that_cannot_be_stored_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log refuses one row, and the seq of another is taken. Both are counted, and the other rows are stored."""

    async def main() -> None:
        log, done = FakeLog(), list[int]()
        async with running(log, monkeypatch) as (behind, metrics):
            for seq in range(1, 11):
                behind.put(row(seq, {4: "poison", 7: "conflict"}.get(seq, "text"), done))
            await until(lambda: not len(behind))
            assert sorted(log.stored) == sorted(done) == [1, 2, 3, 5, 6, 8, 9, 10]
            assert metrics.set_aside == 2

    asyncio.run(main())


def test_the_end_waits_for_the_queue_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the log stays down, the server still ends after a limit."""
    monkeypatch.setattr(write_behind, "FLUSH_LIMIT_S", 0.05)

    async def main() -> None:
        log = FakeLog()
        log.failures = [OutcomeUnknown("away")] * 100_000
        async with running(log, monkeypatch) as (behind, _):
            behind.put(row(1, "text", []))
            await behind.finish()
            assert len(behind) == 1

    asyncio.run(main())
