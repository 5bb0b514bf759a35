"""Publishes to Kafka without making the caller wait: a bounded queue in front of aiokafka's producer."""

import asyncio
import zlib
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from reference_server.backplane.base import Outgoing
from reference_server.metrics import Metrics

PUBLISH_BUFFER_BYTES = 1_048_576


class KafkaPublisher:
    """Belongs to one connection: messages that wait when the connection is lost are dropped with it."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int, metrics: Metrics) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._metrics = metrics
        self._queue: deque[Outgoing] = deque()
        self._wanted = asyncio.Event()
        self._waiting_bytes = 0
        """bytes of frames that the broker has not confirmed"""

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        """See ``Backplane.publish``."""
        if self._waiting_bytes > PUBLISH_BUFFER_BYTES:
            self._metrics.publish_failures += len(messages)
            return False
        self._queue.extend(messages)
        self._waiting_bytes += sum(len(message.frame) for message in messages)
        self._wanted.set()
        self._metrics.published += len(messages)
        return True

    async def run(self) -> None:
        """Hand over to the producer what is in the queue, until cancelled. Raises KafkaError."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._queue:
                message = self._queue.popleft()
                sent = await self._producer.send(
                    self._topic,
                    value=message.seq.to_bytes(8) + message.frame,
                    key=(key := message.channel.encode()),
                    partition=zlib.crc32(key) % self._partitions,
                )
                sent.add_done_callback(partial(self._on_sent, len(message.frame)))

    def _on_sent(self, size: int, done: "asyncio.Future[Any]") -> None:
        self._waiting_bytes -= size
        if done.cancelled() or done.exception() is not None:
            self._metrics.publish_failures += 1
