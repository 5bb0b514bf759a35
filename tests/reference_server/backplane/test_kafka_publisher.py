"""Publishing to Kafka without waiting: what the producer is given, what is refused, what is counted."""

import asyncio
import zlib
from typing import Any

from aiokafka.errors import KafkaError

from reference_server.backplane.base import Outgoing
from reference_server.backplane.kafka_publisher import PUBLISH_BUFFER_BYTES, KafkaPublisher
from reference_server.metrics import Metrics
from tests.reference_server.fakes import until

PARTITIONS = 4


class FakeProducer:
    """Keeps what it is given; each confirmation is a future that a test ends."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []
        self.confirmations: list[asyncio.Future[None]] = []

    async def send(self, topic: str, **given: Any) -> "asyncio.Future[None]":
        self.given.append({"topic": topic, **given})
        self.confirmations.append(asyncio.get_running_loop().create_future())
        return self.confirmations[-1]


async def published(messages: list[Outgoing]) -> tuple[KafkaPublisher, FakeProducer, Metrics, asyncio.Task[None]]:
    """A running publisher whose producer has been given these messages."""
    producer, metrics = FakeProducer(), Metrics()
    publisher = KafkaPublisher(producer, "topic", PARTITIONS, metrics)  # type: ignore[arg-type]  # a fake
    running = asyncio.create_task(publisher.run())
    assert publisher.publish(messages)
    await until(lambda: len(producer.given) == len(messages))
    return publisher, producer, metrics, running


async def cancelled(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait((running,))


def test_the_producer_gets_every_message_in_order() -> None:
    """The value is the seq in eight bytes and the frame; a channel stays in one partition, so its order is kept."""

    async def main() -> None:
        _, producer, metrics, running = await published([Outgoing("a", 1, b"x"), Outgoing("a", 258, b"yz")])
        assert producer.given == [
            {"topic": "topic", "value": value, "key": b"a", "partition": zlib.crc32(b"a") % PARTITIONS}
            for value in (bytes(7) + b"\x01" + b"x", bytes(6) + b"\x01\x02" + b"yz")
        ]
        assert (metrics.published, metrics.publish_failures) == (2, 0)
        await cancelled(running)

    asyncio.run(main())


def test_a_batch_is_refused_while_more_than_the_limit_is_unconfirmed() -> None:
    """At the limit one more is taken; beyond it none, until the broker confirms."""

    async def main() -> None:
        publisher, producer, metrics, running = await published([Outgoing("a", 1, bytes(PUBLISH_BUFFER_BYTES))])
        assert publisher.publish([Outgoing("a", 2, b"x")])
        assert not publisher.publish([Outgoing("a", 3, b"x"), Outgoing("a", 4, b"x")])
        assert (metrics.published, metrics.publish_failures) == (2, 2)
        await until(lambda: len(producer.given) == 2)
        producer.confirmations[0].set_result(None)
        await asyncio.sleep(0)
        assert publisher.publish([Outgoing("a", 3, b"x")])
        await cancelled(running)

    asyncio.run(main())


def test_what_the_broker_does_not_confirm_is_a_failure() -> None:
    """An error and a cancelled confirmation alike; a confirmation is none."""

    async def main() -> None:
        _, producer, metrics, running = await published([Outgoing("a", seq, b"x") for seq in (1, 2, 3)])
        producer.confirmations[0].set_result(None)
        producer.confirmations[1].set_exception(KafkaError("gone"))
        producer.confirmations[2].cancel()
        await until(lambda: metrics.publish_failures == 2)
        await cancelled(running)

    asyncio.run(main())
