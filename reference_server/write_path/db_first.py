"""The DB-first write path: it commits posts in batches, then publishes them, then answers.

One writer at a time: while one batch is being committed, posts collect for the next one, and a pause of a few
milliseconds lets it grow. A batch costs the log one round trip and one flush to disk, however many posts it holds.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from reference_server.backplane.base import Outgoing
from reference_server.message_log.base import Log, LogError, OutcomeUnknown
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import INTERNAL_ERROR, Post, Refused
from reference_server.protocol.server_events import message_frame
from reference_server.server_trace import Trace
from reference_server.write_path.base import Outcome, Publish, WritePathContext, WritePathKind

BATCH_ROWS = 256

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    post: Post
    accepted_ns: int
    outcome: asyncio.Future[Outcome]


class DbFirst:
    """Answers each post with its outcome, or with Refused.

    * An outcome is final: it is given after the commit.
    * The answer waits only for the commit: ``publish`` hands over without waiting and must not raise.
    * ``database_unavailable`` is the answer only if it is certain that nothing was stored; otherwise
    ``outcome_unknown``.
    * Nothing is tried twice: a post whose outcome is unknown stays unknown. Its sender repeats it with the same
      ``client_msg_id``.
    """

    def __init__(
        self, log: Log, publish: Publish, *, trace: Trace, metrics: Metrics, pause_ms: float, capacity: int
    ) -> None:
        self._append = log.append
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
        """Queue a post. Raises Refused (``overloaded``) if the queue is full."""
        if len(self._waiting) >= self._capacity:
            raise Refused(503, "overloaded", f"{self._capacity} posts are waiting for the database; try again later")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(post, accepted_ns, outcome))
        self._arrived.set()
        return outcome

    async def run(self) -> None:
        """Commit batches until cancelled. An unexpected error fails every waiting post, and ends the server."""
        while True:
            await self._arrived.wait()
            waited_s = (time.monotonic_ns() - self._waiting[0].accepted_ns) / 1e9
            if len(self._waiting) < BATCH_ROWS and waited_s < self._pause_s:
                await asyncio.sleep(self._pause_s - waited_s)
            batch = [self._waiting.popleft() for _ in range(min(BATCH_ROWS, len(self._waiting)))]
            if not self._waiting:
                self._arrived.clear()
            try:
                await self._commit(batch)
            except Exception:
                _log.exception("the write path failed; %d posts get internal_error", len(batch) + len(self._waiting))
                _refuse([*batch, *self._waiting], INTERNAL_ERROR)
                raise

    async def finish(self) -> None:
        """Nothing to do: every acknowledged message is committed."""

    async def _commit(self, batch: list[_Waiting]) -> None:
        posts = [waiting.post for waiting in batch]
        try:
            rows = await self._append(
                [post.channel for post in posts], [post.text for post in posts], [post.client_msg_id for post in posts]
            )
        except LogError as error:
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

    def _fail(self, batch: list[_Waiting], error: LogError) -> None:
        """Refuse the batch and every queued post: otherwise each would wait for its own time-out."""
        unknown = isinstance(error, OutcomeUnknown)
        not_stored = Refused(503, "database_unavailable", str(error))
        _refuse(batch, Refused(500, "outcome_unknown", str(error)) if unknown else not_stored)
        _refuse(self._waiting, not_stored)
        self._waiting.clear()
        self._arrived.clear()


def _refuse(posts: Iterable[_Waiting], refusal: Refused) -> None:
    for waiting in posts:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(Refused(refusal.status, refusal.code, refusal.detail))


def _build(context: WritePathContext) -> DbFirst:
    return DbFirst(
        context.log,
        context.publish,
        trace=context.trace,
        metrics=context.metrics,
        pause_ms=context.settings.commit_pause_ms,
        capacity=context.settings.limits.queued_posts,
    )


KIND = WritePathKind(
    name="db-first",
    promise="The message is committed to the message log, and will reach every subscriber.",
    build=_build,
)
