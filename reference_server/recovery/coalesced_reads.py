"""Many small reads of the message log become few large ones."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from reference_server.message_log.base import LogError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class CoalescedReads(Generic[K, V]):
    """Questions that come while a read is under way share the next read; equal questions are asked once.

    When 10,000 clients subscribe within seconds, some dozens of queries serve 10,000 questions. An answer is never
    older than its question.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V]]], *, at_once: int) -> None:
        self._ask = ask
        self._at_once = at_once
        self._questions: dict[K, list[asyncio.Future[V]]] = {}
        self._asked = asyncio.Event()

    async def get(self, question: K) -> V:
        """The answer. Raises LogError."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._questions.setdefault(question, []).append(answer)
        self._asked.set()
        return await answer

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._asked.wait()
            asking = list(self._questions)[: self._at_once]
            waiting = [self._questions.pop(question) for question in asking]
            if not self._questions:
                self._asked.clear()
            try:
                answers = await self._ask(asking)
            except LogError as error:
                for future in (future for futures in waiting for future in futures if not future.done()):
                    future.set_exception(type(error)(str(error)))
                continue
            for futures, answer in zip(waiting, answers, strict=True):
                for future in futures:
                    if not future.done():
                        future.set_result(answer)
