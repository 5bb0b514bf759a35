"""PostgreSQL LISTEN/NOTIFY: one notification channel for all servers, so every server gets every notification. A server
has two separate connections. One only listens. The other publishes what was committed: one statement publishes all
messages that arrived while the last statement ran. PostgreSQL limits a payload to text below 8,000 bytes, so messages
are packed into payloads, one a line. A message that does not fit is a pointer; each server reads it from the log.

With ``inside_transaction`` the committing transaction sends the notification itself. Then every message has its
notification, and commits are serial in the whole PostgreSQL: each holds a lock from its NOTIFY until its log is
flushed.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from reference_server.backplane.base import BackplaneContext, BackplaneKind, Outgoing, Receiver
from reference_server.message_log.base import LogError
from reference_server.message_log.postgresql import PostgresqlLog
from reference_server.message_log.postgresql_connection import PostgresqlConnection
from reference_server.message_log.postgresql_listener import ListenerLost, listen
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import frame_payload, message_frame, text_frame
from reference_server.settings_section import Section

CHANNEL = "chat"
PAYLOAD_LIMIT_BYTES = 7_500
QUEUE_LIMIT = 20_000
"""messages that may wait for publication; beyond that, recovery reads them from the log"""
MESSAGES_PER_STATEMENT = 2_000
ANSWER_TIMEOUT_S = 2.0
BACK_OFF_BASE_S = 0.05
BACK_OFF_CAP_S = 1.0
NOTIFY = f"SELECT pg_notify('{CHANNEL}', payload) FROM unnest($1::text[]) AS payload"  # noqa: S608  # a constant

_log = logging.getLogger(__name__)


class PostgresNotifySettings(Section, frozen=True, kw_only=True):
    """``inside_transaction``: the committing transaction notifies. ``group_commit`` off: one commit per post, several at
    once, which shows what notifying transactions cost one another. ``listen_host`` and ``listen_port``: where the listener
    connects to PostgreSQL, where that is another place than for everything else, because LISTEN passes no pooler in
    transaction mode."""

    inside_transaction: bool = False
    group_commit: bool = True
    listen_host: str | None = None
    listen_port: int | None = None


def packed(messages: Iterable[Outgoing]) -> Iterator[str]:
    """Payloads with the messages in their order, one a line: ``seq channel json``, or ``seq channel`` as a pointer. The
    JSON of a message has no line break."""
    lines: list[str] = []
    size = 0
    for channel, seq, frame in messages:
        body = frame_payload(frame)
        head = f"{seq} {channel}"
        length = len(head) + 2 + len(body)
        if length > PAYLOAD_LIMIT_BYTES:
            line, length = head, len(head) + 1
        else:
            line = f"{head} {body.decode()}"
        if size + length > PAYLOAD_LIMIT_BYTES:
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += length
    if lines:
        yield "\n".join(lines)


class PostgresNotify:
    def __init__(
        self, address: dict[str, Any], publisher: PostgresqlConnection, *, name: str, inside: bool, metrics: Metrics
    ) -> None:
        self._address = address
        self._publisher = publisher
        self._name = name
        self._inside = inside
        self._metrics = metrics
        self._receiver: Receiver | None = None
        self._channels: set[str] = set()
        self._waiting: deque[Outgoing] = deque()
        self._arrived = asyncio.Event()
        self._listening = False
        self._publishing = True

    @property
    def up(self) -> bool:
        return self._listening and self._publishing

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        if self._inside:
            self._metrics.published += len(messages)  # the transaction that committed them has notified
            return True
        # A server that hears nothing is heard all the same: only its own clients depend on its listener.
        if self._receiver is None or not self._publishing or len(self._waiting) + len(messages) > QUEUE_LIMIT:
            self._metrics.publish_failures += len(messages)
            return False
        self._waiting.extend(messages)
        self._arrived.set()
        return True

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._listening and self._receiver is not None:
            self._receiver.on_subscribed(channels)  # everything arrives already

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                if not self._inside:
                    tasks.create_task(self._publish_waiting())
        finally:
            self._publisher.close()

    # Publishing.

    async def _publish_waiting(self) -> None:
        while True:
            await self._arrived.wait()
            batch = [self._waiting.popleft() for _ in range(min(MESSAGES_PER_STATEMENT, len(self._waiting)))]
            if not self._waiting:
                self._arrived.clear()
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._publisher.fetch(NOTIFY, list(packed(batch)))
            except (LogError, TimeoutError) as error:
                if self._publishing:
                    _log.warning("backplane does not publish: %s", error or type(error).__name__)
                self._metrics.publish_failures += len(batch)
                await self._until_published_again()
            else:
                self._metrics.published += len(batch)

    async def _until_published_again(self) -> None:
        """Down until a statement is answered: recovery reads the messages from the log, because a queue would be
        late."""
        self._publishing = False
        self._metrics.publish_failures += len(self._waiting)
        self._waiting.clear()
        self._arrived.clear()
        while not self._publishing:
            await asyncio.sleep(random.uniform(0, BACK_OFF_CAP_S / 2))  # noqa: S311  # jitter, not a secret
            with contextlib.suppress(LogError, TimeoutError):
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._publisher.fetch("SELECT 1")
                self._publishing = True

    # Listening.

    async def _listen(self) -> None:
        """Listen, again after each failure, with full jitter."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await listen(
                    self._address,
                    name=self._name,
                    channel=CHANNEL,
                    on_payload=self._on_payload,
                    on_listening=self._on_listening,
                )
            except ListenerLost as error:
                failures = 1 if loop.time() - began_s > 2 * BACK_OFF_CAP_S else failures + 1
                if failures == 1:
                    _log.warning("backplane listener down: %s", error)
            finally:
                if self._listening and self._receiver is not None:
                    self._listening = False
                    self._receiver.on_state(False)
            limit_s = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0, limit_s))  # noqa: S311  # jitter, not a secret

    def _on_listening(self) -> None:
        assert self._receiver is not None
        _log.info("backplane listens")
        self._listening = True
        self._receiver.on_state(True)
        self._receiver.on_subscribed(list(self._channels))

    def _on_payload(self, payload: str) -> None:
        receiver = self._receiver
        assert receiver is not None
        if payload.startswith(
            "="
        ):  # one message from the transaction that committed it: its text may have any character
            seq, channel, text = payload[1:].split(" ", 2)
            if channel in self._channels:
                receiver.on_message(channel, int(seq), message_frame(channel, int(seq), text))
            else:
                self._metrics.unwanted += 1
            return
        for line in payload.split("\n"):
            number, channel, *body = line.split(" ", 2)
            if channel not in self._channels:
                self._metrics.unwanted += 1
                continue
            if body:
                receiver.on_message(channel, int(number), text_frame(body[0].encode()))
            else:
                receiver.on_newer(channel, int(number))


def _build(section: PostgresNotifySettings, context: BackplaneContext) -> PostgresNotify:
    settings = context.settings
    name = f"{settings.name} backplane"
    publisher = PostgresqlConnection(
        settings.postgres, name=f"{name} publisher", statement_timeout_ms=settings.statement_timeout_ms
    )
    if isinstance(context.log, PostgresqlLog):
        context.log.notify_inside = CHANNEL if section.inside_transaction else None
        context.log.one_commit_per_post = not section.group_commit
    place = {"host": section.listen_host, "port": section.listen_port}
    return PostgresNotify(
        publisher.address | {key: value for key, value in place.items() if value is not None},
        publisher,
        name=f"{name} listener",
        inside=section.inside_transaction,
        metrics=context.metrics,
    )


KIND = BackplaneKind(name="postgres-notify", section=PostgresNotifySettings, broker=None, build=_build)
