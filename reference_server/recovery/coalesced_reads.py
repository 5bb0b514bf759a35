"""Combines many small reads of the message log into few large ones."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from reference_server.message_log.base import LogError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class CoalescedReads(Generic[K, V]):
    """Requests that arrive during a read share the next read; equal requests are read once. When 10,000 clients
    subscribe within seconds, some dozens of queries serve 10,000 requests. An answer is never older than its request.
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
