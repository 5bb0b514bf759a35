"""Many small questions to the database become few large ones."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from reference_server.link import DatabaseError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Coalesced(Generic[K, V]):
    """Questions that come while one is under way are asked together, and each different one once.

    When 10,000 clients subscribe within seconds, this makes some dozens of queries out of 10,000. An answer is never older
    than its question.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V]]], *, at_once: int) -> None:
        self._ask = ask
        self._at_once = at_once
        self._questions: dict[K, list[asyncio.Future[V]]] = {}
        self._asked = asyncio.Event()

    async def get(self, question: K) -> V:
        """The answer. Raises DatabaseError."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._questions.setdefault(question, []).append(answer)
        self._asked.set()
        return await answer

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._asked.wait()
            asking = list(self._questions)[: self._at_once]
            waiting = [self._questions.pop(question) for question in asking]
            if not self._questions:
                self._asked.clear()
            try:
                answers = await self._ask(asking)
            except DatabaseError as error:
                for future in (future for futures in waiting for future in futures if not future.done()):
                    future.set_exception(type(error)(str(error)))
                continue
            for futures, answer in zip(waiting, answers, strict=True):
                for future in futures:
                    if not future.done():
                        future.set_result(answer)
