"""Whether Kafka lives: a question that is answered, one that is not, and a connection that ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.backplane import kafka_watch
from reference_server.backplane.kafka_watch import KafkaWatch

QUESTION = bytes.fromhex("0000000a 0012 0000 00000000 ffff")
"""length 10, API 18, version 0, correlation id 0, no client id"""


class FakeKafka:
    """Answers the question of each connection with four bytes, unless it is told to be silent or to close."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[bytes] = []
        self.silent = self.closing = False
        self.writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeKafka"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self.writers:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.asked.append(await reader.readexactly(len(QUESTION)))
        if self.closing:
            writer.close()
        elif not self.silent:
            writer.write(b"\0\0\0\4\0\0\0\0")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_watch, "ANSWER_TIMEOUT_S", 0.1)
    monkeypatch.setattr(kafka_watch, "PING_INTERVAL_S", 0.01)


def test_it_asks_again_until_the_broker_is_silent() -> None:
    """Each time on a new connection. No answer is a lost connection: a frozen process keeps its connections open."""

    async def main() -> None:
        async with FakeKafka().running() as kafka, asyncio.timeout(5):
            watch = await KafkaWatch.open("127.0.0.1", kafka.port)
            keeping = asyncio.create_task(watch.keep_alive())
            while len(kafka.asked) < 3:
                await asyncio.sleep(0.001)
            kafka.silent = True
            with pytest.raises(ConnectionResetError, match="no answer"):
                await keeping
            assert set(kafka.asked) == {QUESTION}

    asyncio.run(main())


def test_the_end_of_the_connection_is_noticed_between_two_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that ends closes its connections."""
    monkeypatch.setattr(kafka_watch, "PING_INTERVAL_S", 60)

    async def main() -> None:
        async with FakeKafka().running() as kafka, asyncio.timeout(5):
            watch = await KafkaWatch.open("127.0.0.1", kafka.port)
            kafka.writers[0].close()
            with pytest.raises(ConnectionResetError, match="closed by the broker"):
                await watch.keep_alive()
            watch.abort()
            assert len(kafka.asked) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("state", "error"), [("silent", TimeoutError), ("closing", ConnectionResetError)])
def test_a_connection_without_an_answer_is_not_opened(state: str, error: type[OSError]) -> None:
    """A port that accepts is no broker that lives."""

    async def main() -> None:
        async with FakeKafka().running() as kafka, asyncio.timeout(5):
            setattr(kafka, state, True)
            with pytest.raises(error):
                await KafkaWatch.open("127.0.0.1", kafka.port)

    asyncio.run(main())
