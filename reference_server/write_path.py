"""The DB-first write path: posts are committed in batches, then published, then acknowledged.

One writer at a time: while a batch is being committed the next one gathers, and a pause of a few milliseconds lets it
grow. A batch costs the database one round trip and one flush to disk, however many posts it holds.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from reference_server.backplane.base import Outgoing
from reference_server.link import DatabaseError, OutcomeUnknown
from reference_server.metrics import Metrics
from reference_server.trace import Trace
from reference_server.wire import Post, Refused, message_frame

BATCH_ROWS = 256

_log = logging.getLogger(__name__)

Append = Callable[[Sequence[str], Sequence[str], Sequence[str | None]], Awaitable[list[tuple[int, bool]]]]
Publish = Callable[[Sequence[Outgoing]], bool]


class Outcome(NamedTuple):
    seq: int
    duplicate: bool


class _Waiting(NamedTuple):
    post: Post
    accepted_ns: int
    outcome: asyncio.Future[Outcome]


class WritePath:
    """Takes posts and answers each with its outcome, or with Refused.

    * Whoever gets an outcome can rely on it: it is given after COMMIT.
    * The answer waits for nothing but the commit: ``publish`` hands over without waiting and must not raise.
    * ``database_unavailable`` is said only where it is certain that nothing was stored; otherwise ``outcome_unknown``.
    * Nothing is tried twice: a post whose outcome is unknown stays unknown, its sender repeats it with the same
      ``client_msg_id``.
    """

    def __init__(
        self, append: Append, publish: Publish, *, trace: Trace, metrics: Metrics, pause_ms: float, capacity: int
    ) -> None:
        self._append = append
        self._publish = publish
        self._trace = trace
        self._metrics = metrics
        self._pause_s = pause_ms / 1000
        self._capacity = capacity
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._failing = False

    @property
    def queued(self) -> int:
        return len(self._waiting)

    def submit(self, post: Post, accepted_ns: int) -> asyncio.Future[Outcome]:
        """Put a post in line. Raises Refused (``overloaded``) where the line is full."""
        if len(self._waiting) >= self._capacity:
            raise Refused(503, "overloaded", f"{self._capacity} posts are waiting for the database; try again later")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(post, accepted_ns, outcome))
        self._arrived.set()
        return outcome

    async def run(self) -> None:
        """Commit batches until cancelled."""
        while True:
            await self._arrived.wait()
            waited_s = (time.monotonic_ns() - self._waiting[0].accepted_ns) / 1e9
            if len(self._waiting) < BATCH_ROWS and waited_s < self._pause_s:
                await asyncio.sleep(self._pause_s - waited_s)
            batch = [self._waiting.popleft() for _ in range(min(BATCH_ROWS, len(self._waiting)))]
            if not self._waiting:
                self._arrived.clear()
            await self._commit(batch)

    async def _commit(self, batch: list[_Waiting]) -> None:
        posts = [waiting.post for waiting in batch]
        try:
            rows = await self._append(
                [post.channel for post in posts], [post.text for post in posts], [post.client_msg_id for post in posts]
            )
        except DatabaseError as error:
            if not self._failing:
                _log.warning("commits fail: %s", error)
            self._failing = True
            self._fail(batch, error)
            return
        if self._failing:
            _log.info("commits succeed again")
        self._failing = False
        committed_ns = time.monotonic_ns()
        self._metrics.batches.add(len(batch))
        outgoing = [
            Outgoing(post.channel, seq, message_frame(post.channel, seq, post.text))
            for post, (seq, duplicate) in zip(posts, rows, strict=True)
            if not duplicate
        ]
        published_ns = time.monotonic_ns() if outgoing and self._publish(outgoing) else 0
        for waiting, (seq, duplicate) in zip(batch, rows, strict=True):
            if not duplicate:
                self._trace.accepted.add(waiting.post.channel, seq, waiting.accepted_ns, committed_ns, published_ns)
            if not waiting.outcome.done():
                waiting.outcome.set_result(Outcome(seq, duplicate))

    def _fail(self, batch: list[_Waiting], error: DatabaseError) -> None:
        """Refuse the batch, and with it everything in line: each would otherwise wait for a time-out of its own."""
        code, status = ("outcome_unknown", 500) if isinstance(error, OutcomeUnknown) else ("database_unavailable", 503)
        for waiting in batch:
            if not waiting.outcome.done():
                waiting.outcome.set_exception(Refused(status, code, str(error)))
        for waiting in self._waiting:
            if not waiting.outcome.done():
                waiting.outcome.set_exception(Refused(503, "database_unavailable", str(error)))
        self._waiting.clear()
        self._arrived.clear()
