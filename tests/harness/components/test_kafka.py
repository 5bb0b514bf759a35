"""The adapter of Kafka with a real broker, and with listeners that are not Kafka."""

import asyncio
from dataclasses import replace

import pytest

from harness.components.kafka import KafkaAdapter
from harness.model.cluster import Endpoint
from reference_server.backplane.base import Outgoing
from reference_server.backplane.kafka import KIND
from tests.reference_server.fakes import until
from tests.reference_server.real_broker import LIMIT_S, built, real_broker, running

NO_BROKER = Endpoint(kind="kafka", host="127.0.0.1", port=1, user="harness", password="secret")


@pytest.mark.integration
@pytest.mark.xdist_group("kafka")
def test_readiness_settings_and_counters() -> None:
    """The broker accepts only the right password. Each published record is counted once."""

    async def main() -> None:
        async with real_broker("kafka") as part:
            endpoint, adapter = part.endpoint, KafkaAdapter()
            assert endpoint is not None
            assert await adapter.refusal(endpoint) is None
            assert await adapter.refusal(replace(endpoint, password="wrong"))
            assert (await adapter.settings(endpoint))["auto.create.topics.enable"] == "false"
            backplane, sampler = built(KIND, part, partitions=4), adapter.sampler(endpoint, timeout_s=1.0)
            async with running(backplane):
                backplane.publish([Outgoing(f"c{number}", 1, b"") for number in range(10)])
                async with asyncio.timeout(LIMIT_S):
                    while (found := await sampler.sample())["commands"] < 10:
                        await asyncio.sleep(0.05)
                assert found == {"commands": 10, "partitions": 4}
            await sampler.close()
            await until(lambda: not backplane.up)

    asyncio.run(main())


def test_a_broker_that_is_away_is_a_reason_and_has_no_settings() -> None:
    """Neither call raises, because a fault may have stopped the broker on purpose."""
    assert asyncio.run(KafkaAdapter().refusal(NO_BROKER))
    assert asyncio.run(KafkaAdapter().settings(NO_BROKER)) == {}


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\4\0\0\0\1", b"\0\0\0", b""])
def test_what_is_no_kafka_is_a_reason(answer: bytes) -> None:
    """Another program listens at the port, its answer is too short, or there is no answer."""

    async def main() -> str | None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            return await KafkaAdapter().refusal(replace(NO_BROKER, port=server.sockets[0].getsockname()[1]))

    assert asyncio.run(main())
