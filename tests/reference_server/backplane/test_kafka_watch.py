"""Whether a Kafka broker is alive. Stand-ins answer, close the connection, or stay silent."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.backplane import kafka_watch
from reference_server.backplane.kafka_watch import KafkaWatch
from tests.reference_server.fakes import until

ANSWER = b"any bytes"


class Broker:
    """Answers each question with ``answer``; with None it does not answer. With ``closes`` it then closes the
    connection."""

    def __init__(self) -> None:
        self.answer: bytes | None = struct.pack(">i", len(ANSWER)) + ANSWER
        self.closes = False
        self.questions: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Broker"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            self.questions.append(await reader.readexactly(14))
            if self.answer is not None:
                writer.write(self.answer)
            if self.closes:
                writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the interval of questions and the time limit to milliseconds."""
    monkeypatch.setattr(kafka_watch, "PING_INTERVAL_S", 0.01)
    monkeypatch.setattr(kafka_watch, "ANSWER_TIMEOUT_S", 0.1)


def test_a_broker_that_answers_is_asked_again_and_again() -> None:
    """Each question uses a new connection: length 10, ApiVersions (18), version 0, id 0, no client."""

    async def main() -> None:
        async with Broker().running() as broker:
            watch = await KafkaWatch.open("127.0.0.1", broker.port)
            keeping = asyncio.create_task(watch.keep_alive())
            await until(lambda: len(broker.questions) >= 3)
            assert set(broker.questions) == {b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x00\xff\xff"}
            assert len(broker.writers) >= 3
            keeping.cancel()
            await asyncio.wait((keeping,))
            watch.abort()
            watch.abort()  # a second abort does no harm

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "closes", "error"),
    [
        (None, False, TimeoutError),
        (b"\x00\x00", True, ConnectionResetError),
        (b"\x00\x00\x00\x09short", True, ConnectionResetError),
    ],
)
def test_what_does_not_answer_is_no_connection(answer: bytes | None, closes: bool, error: type[OSError]) -> None:
    """The broker is silent, or the connection ends in the middle of the answer."""

    async def main() -> None:
        async with Broker().running() as broker:
            broker.answer, broker.closes = answer, closes
            with pytest.raises(error):
                await KafkaWatch.open("127.0.0.1", broker.port)

    asyncio.run(main())


def test_a_port_without_a_listener_is_no_connection() -> None:
    """The caller gets an OSError and tries again."""

    async def main() -> None:
        async with Broker().running() as broker:
            port = broker.port
        with pytest.raises(OSError, match="onnect"):
            await KafkaWatch.open("127.0.0.1", port)

    asyncio.run(main())


def test_a_frozen_broker_is_lost_after_a_question_without_an_answer() -> None:
    """A frozen broker keeps its connections open."""

    async def main() -> None:
        async with Broker().running() as broker:
            watch = await KafkaWatch.open("127.0.0.1", broker.port)
            broker.answer = None
            with pytest.raises(ConnectionResetError, match="no answer"):
                await watch.keep_alive()
            watch.abort()

    asyncio.run(main())


def test_a_connection_that_ends_is_noticed_between_two_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch notices the end at once, although the next question is a minute away."""
    monkeypatch.setattr(kafka_watch, "PING_INTERVAL_S", 60.0)

    async def main() -> None:
        async with Broker().running() as broker:
            watch = await KafkaWatch.open("127.0.0.1", broker.port)
            broker.writers[-1].close()
            async with asyncio.timeout(5):
                with pytest.raises(ConnectionResetError, match="closed by the broker"):
                    await watch.keep_alive()
            watch.abort()

    asyncio.run(main())
