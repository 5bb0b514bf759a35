"""The broker-first write path (write-behind): it publishes, then answers, and stores later.

The broker gives the number. Between the answer and the COMMIT a message is only in the memory of this server: if the
server dies, the database never gets these messages, although clients have them. docs/write-paths.md says how many that
are.
"""

import asyncio
import logging
import time
from collections import deque

from reference_server.backplane.sequencer import Numbered, NumberUnknown, Sequencer, SequencerDown, Unseeded
from reference_server.message_log.base import LogError
from reference_server.protocol.client_requests import Post, Refused
from reference_server.server_trace import COMMITTED
from reference_server.write_path.base import Outcome, WritePathContext, WritePathKind
from reference_server.write_path.write_behind import Behind, WriteBehind

KNOWN_CHANNELS = 100_000
RESOLVE_PAUSE_S = 0.2

_log = logging.getLogger(__name__)


class BrokerFirst:
    """Answers each post when the broker has published it.

    * The answer waits for the broker and never for the log, except for the first post of a channel that the broker does
      not know: its number begins after the newest stored one.
    * At most ``capacity`` posts are between acceptance and COMMIT; beyond that they are refused, never dropped.
    * A post whose publication is unknown is looked up in the broker when it is back, and stored if it was published.
    """

    def __init__(self, context: WritePathContext, sequencer: Sequencer) -> None:
        settings = context.settings
        self._sequencer = sequencer
        self._newest = context.log.newest
        self._expected = context.expected
        self._trace = context.trace
        self._metrics = context.metrics
        self._capacity = settings.limits.queued_posts
        self._behind = WriteBehind(context.log, metrics=context.metrics, pause_ms=settings.commit_pause_ms)
        self._publishing: set[asyncio.Task[Outcome]] = set()
        self._known: dict[str, int] = {}
        self._epoch = 0
        self._doubtful: deque[Post] = deque(maxlen=self._capacity)

    @property
    def queued(self) -> int:
        return len(self._publishing) + len(self._behind)

    async def submit(self, post: Post, accepted_ns: int) -> Outcome:
        """Raises Refused."""
        if self.queued >= self._capacity:
            raise Refused(503, "overloaded", f"{self._capacity} messages wait for the database; try again later")
        # A separate task: a published message is stored, also if the sender has left.
        task = asyncio.create_task(self._publish(post, accepted_ns))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)
        return await asyncio.shield(task)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._behind.run())
            tasks.create_task(self._resolve())

    async def finish(self) -> None:
        if self._publishing:
            await asyncio.wait(self._publishing)
        await self._behind.finish()

    async def _publish(self, post: Post, accepted_ns: int) -> Outcome:
        try:
            found = await self._number(post)
        except LogError as error:
            raise Refused(503, "database_unavailable", str(error)) from error
        except (SequencerDown, Unseeded) as error:
            raise Refused(503, "broker_unavailable", str(error)) from error
        except NumberUnknown as error:
            self._doubtful.append(post)
            raise Refused(500, "outcome_unknown", str(error)) from error
        if found.epoch != self._epoch:
            _log.info("epoch %d: the broker numbers from its own memory since then", found.epoch)
            self._epoch = found.epoch
        if not found.duplicate:
            self._metrics.published += 1
            self._remember(post.channel, found.seq)
            self._store_later(post, found.seq, accepted_ns)
        return Outcome(found.seq, found.duplicate)

    async def _number(self, post: Post) -> Numbered:
        known = max(self._known.get(post.channel, 0), self._expected(post.channel))
        try:
            return await self._sequencer.publish(post, known=known, seed=None)
        except Unseeded:
            newest = await self._newest([post.channel])
            return await self._sequencer.publish(post, known=known, seed=newest.get(post.channel, 0))

    def _remember(self, channel: str, seq: int) -> None:
        self._known[channel] = max(seq, self._known.pop(channel, 0))
        if len(self._known) > KNOWN_CHANNELS:
            del self._known[next(iter(self._known))]

    def _store_later(self, post: Post, seq: int, accepted_ns: int) -> None:
        trace = self._trace.accepted
        row = trace.add(post.channel, seq, accepted_ns, 0, time.monotonic_ns())

        def on_stored() -> None:
            if row is not None:
                trace.set(row, COMMITTED, time.monotonic_ns())

        self._behind.put(Behind(post.channel, seq, post.text, post.client_msg_id, on_stored))

    async def _resolve(self) -> None:
        """Store the messages that were published although their answers were lost."""
        while True:
            await asyncio.sleep(RESOLVE_PAUSE_S)
            if not self._doubtful:
                continue
            await self._sequencer.until_up()
            post = self._doubtful[0]
            try:
                seq = (
                    None if post.client_msg_id is None else await self._sequencer.find(post.channel, post.client_msg_id)
                )
            except (SequencerDown, NumberUnknown):
                continue
            self._doubtful.popleft()
            if seq is not None:
                self._store_later(post, seq, time.monotonic_ns())


def _build(context: WritePathContext) -> BrokerFirst:
    assert context.sequencer is not None, "the settings refuse a backplane that gives no numbers"
    return BrokerFirst(context, context.sequencer)


KIND = WritePathKind(
    name="broker-first",
    promise="The message is published, and will be committed if this server does not die first.",
    build=_build,
    needs_sequencer=True,
)
