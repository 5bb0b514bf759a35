"""The queue in front of Kafka's producer, with a stand-in for the producer."""

import asyncio
import zlib
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from reference_server.backplane import kafka_publisher
from reference_server.backplane.base import Outgoing
from reference_server.backplane.kafka_publisher import KafkaPublisher
from reference_server.metrics import Metrics
from tests.reference_server.fakes import until


class Producer:
    """Keeps every record that it gets. The test confirms the records."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.confirmations: list[asyncio.Future[Any]] = []
        self.broken = False

    async def send(self, topic: str, **record: Any) -> "asyncio.Future[Any]":
        if self.broken:
            raise KafkaError("closed")
        self.sent.append({"topic": topic, **record})
        self.confirmations.append(asyncio.get_running_loop().create_future())
        return self.confirmations[-1]


def made(producer: Producer) -> tuple[KafkaPublisher, Metrics]:
    metrics, given = Metrics(), producer
    stand_in: Any = given
    return KafkaPublisher(stand_in, "topic", 4, metrics), metrics


def message(seq: int, channel: str = "a", size: int = 10) -> Outgoing:
    return Outgoing(channel, seq, b"x" * size)


def test_a_record_has_the_seq_before_the_frame_and_its_channel_chooses_the_partition() -> None:
    """All messages of a channel are in one partition, so they stay in order."""

    async def main() -> None:
        producer = Producer()
        publisher, metrics = made(producer)
        running = asyncio.create_task(publisher.run())
        assert publisher.publish([message(1), message(258, "b")])
        await until(lambda: len(producer.sent) == 2)
        first, second = producer.sent
        assert first == {
            "topic": "topic",
            "value": b"\x00" * 7 + b"\x01" + b"x" * 10,
            "key": b"a",
            "partition": zlib.crc32(b"a") % 4,
        }
        assert second["value"][:8] == b"\x00" * 6 + b"\x01\x02"
        assert (metrics.published, metrics.publish_failures) == (2, 0)
        publisher.publish([message(2)])
        await until(lambda: len(producer.sent) == 3)
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(main())


def test_what_waits_is_bounded_and_a_confirmation_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole batch is accepted while at most 20 bytes wait. With more, none is accepted until a message is
    confirmed."""
    monkeypatch.setattr(kafka_publisher, "PUBLISH_BUFFER_BYTES", 20)

    async def main() -> None:
        producer = Producer()
        publisher, metrics = made(producer)
        running = asyncio.create_task(publisher.run())
        assert publisher.publish([message(1), message(2)])
        assert publisher.publish([message(3)]), "20 bytes are not too many"
        assert not publisher.publish([message(4), message(5)])
        assert (metrics.published, metrics.publish_failures) == (3, 2)
        await until(lambda: len(producer.sent) == 3)
        assert not publisher.publish([message(4)]), "sent is not confirmed"
        producer.confirmations[0].set_result(None)
        await asyncio.sleep(0)
        assert publisher.publish([message(4)])
        assert (metrics.published, metrics.publish_failures) == (4, 3)
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(main())


def test_a_message_that_the_broker_did_not_take_has_failed() -> None:
    """The message was refused or cancelled, and its bytes no longer wait. A confirmed message has not failed."""

    async def main() -> None:
        producer = Producer()
        publisher, metrics = made(producer)
        running = asyncio.create_task(publisher.run())
        publisher.publish([message(1), message(2), message(3)])
        await until(lambda: len(producer.confirmations) == 3)
        refused, cancelled, taken = producer.confirmations
        refused.set_exception(KafkaError("no"))
        cancelled.cancel()
        taken.set_result(None)
        await until(lambda: publisher._waiting_bytes == 0)
        assert metrics.publish_failures == 2
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(main())


def test_a_producer_that_is_broken_ends_the_connection() -> None:
    """The caller of ``run`` then makes a new connection."""

    async def main() -> None:
        producer = Producer()
        producer.broken = True
        publisher, _ = made(producer)
        publisher.publish([message(1)])
        with pytest.raises(KafkaError):
            await publisher.run()

    asyncio.run(main())
