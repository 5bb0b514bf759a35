"""Kafka: one topic with a fixed number of partitions, each channel in one of them; every server reads all partitions
from its own position, without a consumer group.

A record's key is the channel, its value 8 bytes of seq and the finished frame. Each server gets every message, whether
it has subscribers or not. After a reconnection a server continues at its position if the topic still has it.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from reference_server.backplane.base import Outgoing, Receiver
from reference_server.backplane.kafka import Kafka
from reference_server.backplane.kafka_publisher import KafkaPublisher
from reference_server.backplane.kafka_watch import KafkaWatch
from reference_server.backplane.reconnection import Reconnection
from reference_server.metrics import Metrics

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_MS = 5_000
PUBLISH_LIMIT_MS = 2_000
"""How long a message may wait for the broker. After that the server drops it, and the others read it from the message
log."""
PRODUCER = {"acks": 1, "linger_ms": 0, "request_timeout_ms": PUBLISH_LIMIT_MS}
CONSUMER = {"group_id": None, "fetch_min_bytes": 1, "fetch_max_wait_ms": 500, "request_timeout_ms": REQUEST_TIMEOUT_MS}

_log = logging.getLogger(__name__)
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs every failure many times a second; we log it once


class KafkaTopic:
    def __init__(self, kafka: Kafka, metrics: Metrics) -> None:
        self._kafka = kafka
        self._metrics = metrics
        self._receiver: Receiver
        self._partitions = [TopicPartition(kafka.topic, number) for number in range(kafka.partitions)]
        self._positions: dict[TopicPartition, int] = {}
        """the next offset to read, by partition; empty before the first connection"""
        self._goal: dict[TopicPartition, int] = {}
        """the ends of the partitions at the last connection: until they are read, the channels are not confirmed"""
        self._publisher: KafkaPublisher | None = None
        self._channels: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        return self._publisher is not None

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        _log.info("kafka producer %s, consumer %s, %s", PRODUCER, CONSUMER, self._topic_settings())
        try:
            await Reconnection().keep("clients", self._connect, self._serve)
        finally:
            if self._closing:
                await asyncio.wait(self._closing, timeout=CLOSE_TIMEOUT_S)

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        if self._publisher is None:
            self._metrics.publish_failures += len(messages)
            return False
        return self._publisher.publish(messages)

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._publisher is not None and not self._goal:
            self._receiver.on_subscribed(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)

    # One connection after another.

    async def _connect(self) -> "_Clients":
        watch = await KafkaWatch.open(self._kafka.host, self._kafka.port)
        clients = _Clients(self._kafka, watch, self._closing)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._create_topic()
                await clients.start()
                await self._find_positions(clients.consumer)
        except KafkaError as error:
            clients.abort()
            raise ConnectionRefusedError(str(error)) from error
        except BaseException:
            clients.abort()
            raise
        return clients

    async def _create_topic(self) -> None:
        """Create it if it does not exist. Its leader may not be known for a moment: the clients try again."""
        admin = AIOKafkaAdminClient(**_address(self._kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            topic = NewTopic(
                self._kafka.topic,
                num_partitions=self._kafka.partitions,
                replication_factor=1,
                topic_configs=self._topic_settings(),
            )
            answer = await admin.create_topics([topic])
        finally:
            await admin.close()
        for name, code, *text in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}: {text}")

    def _topic_settings(self) -> dict[str, str]:
        return {"retention.ms": str(self._kafka.retention_ms)}

    async def _find_positions(self, consumer: AIOKafkaConsumer) -> None:
        """Continue at the known positions if the partitions still have them, else at their ends."""
        ends = await consumer.end_offsets(self._partitions)
        begins = await consumer.beginning_offsets(self._partitions)
        for partition, end in ends.items():
            position = self._positions.get(partition, -1)
            if not begins[partition] <= position <= end:
                self._positions[partition] = position = end
            consumer.seek(partition, position)
        self._goal = dict(ends)

    async def _serve(self, clients: "_Clients") -> None:
        publisher = KafkaPublisher(clients.producer, self._kafka.topic, self._kafka.partitions, self._metrics)
        self._publisher = publisher
        self._receiver.on_state(True)
        self._confirm_when_read()
        work = [
            asyncio.ensure_future(one)
            for one in (publisher.run(), self._read(clients.consumer), clients.watch.keep_alive())
        ]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in work:
                if task.done():
                    task.result()
        except KafkaError as error:
            raise ConnectionResetError(str(error)) from error
        finally:
            self._publisher = None
            self._receiver.on_state(False)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=1_000)).items():
                for record in records:
                    value = record.value
                    self._receiver.on_message(record.key.decode(), int.from_bytes(value[:8]), value[8:])
                self._positions[partition] = records[-1].offset + 1
            if self._goal:
                self._confirm_when_read()

    def _confirm_when_read(self) -> None:
        """Confirm the channels when every message is read that was there at the connection: the server need not read
        these from the message log."""
        if all(self._positions[partition] >= end for partition, end in self._goal.items()):
            self._goal = {}
            self._receiver.on_subscribed(self._channels)


class _Clients:
    """The connections of one period in which the broker was reachable."""

    def __init__(self, kafka: Kafka, watch: KafkaWatch, closing: set[asyncio.Task[None]]) -> None:
        self.watch = watch
        self.producer = AIOKafkaProducer(**_address(kafka), **PRODUCER)
        self.consumer = AIOKafkaConsumer(**_address(kafka), **CONSUMER)
        self._partitions = [TopicPartition(kafka.topic, number) for number in range(kafka.partitions)]
        self._closing = closing

    async def start(self) -> None:
        """Raises KafkaError."""
        await self.producer.start()
        await self.consumer.start()
        self.consumer.assign(self._partitions)

    def abort(self) -> None:
        """Close everything in the background: a producer takes a while to drop what it has not sent."""
        self.watch.abort()
        for client in (self.producer, self.consumer):
            task = asyncio.ensure_future(_close(client))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _close(client: Any) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.stop()


def _address(kafka: Kafka) -> dict[str, Any]:
    address: dict[str, Any] = {"bootstrap_servers": f"{kafka.host}:{kafka.port}"}
    if kafka.password is None:
        return address
    return address | {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": kafka.username or "",
        "sasl_plain_password": kafka.password,
    }
