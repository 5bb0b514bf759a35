"""Kafka as a component: readiness, settings, counters, by the few requests of its protocol that they need. A client
library would connect to the address that the broker advertises, which another machine or a container may not reach. A
cluster here has one node, which answers every request at the known address.
"""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress

from harness.components.adapter import Counters
from harness.components.kafka_fields import Fields, array, text
from harness.model.cluster import Endpoint

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
NODE_ID = "1"
SETTINGS = (
    *("num.io.threads", "num.network.threads", "log.flush.interval.messages", "log.retention.ms"),
    *("message.max.bytes", "auto.create.topics.enable", "process.roles"),
)
_METADATA, _LIST_OFFSETS, _SASL_HANDSHAKE, _DESCRIBE_CONFIGS, _SASL_AUTHENTICATE = 3, 2, 17, 32, 36
_BROKER = 4
_LATEST = -1


class KafkaRefusal(Exception):
    """Kafka answered with an error, or with bytes that are not an answer."""


class KafkaAdapter:
    errors: tuple[type[Exception], ...] = (KafkaRefusal,)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None if it accepts the login and reports a broker: it listens before it can serve."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                client = await _Client.open(endpoint)
                try:
                    brokers, _ = await client.metadata()
                finally:
                    await client.close()
        except (OSError, KafkaRefusal) as error:
            return str(error) or type(error).__name__
        return None if brokers else "no broker is registered yet"

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        try:
            async with asyncio.timeout(SETTINGS_TIMEOUT_S):
                client = await _Client.open(endpoint)
                try:
                    return await client.settings(SETTINGS)
                finally:
                    await client.close()
        except (OSError, KafkaRefusal):
            return {}

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> "KafkaSampler":
        return KafkaSampler(endpoint)


class KafkaSampler:
    """Counts records by the ends of all partitions. Kafka reports its network traffic only through JMX, so there is no
    figure of it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: _Client | None = None

    async def sample(self) -> Counters:
        try:
            if self._client is None:
                self._client = await _Client.open(self._endpoint)
            _, topics = await self._client.metadata()
            ends = await self._client.ends(topics)
        except BaseException:
            await self.close()  # the answer to an abandoned request would be taken for the answer to the next one
            raise
        return {"commands": sum(ends), "partitions": len(ends)}

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class _Client:
    """One connection. Each method is one request; they raise OSError and KafkaRefusal, and the caller bounds their
    time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, endpoint: Endpoint) -> "_Client":
        client = cls(*await asyncio.open_connection(endpoint.host, endpoint.port))
        try:
            if endpoint.password:
                await client._log_in(endpoint.user, endpoint.password)
        except BaseException:
            await client.close()
            raise
        return client

    async def _log_in(self, user: str, password: str) -> None:
        code = (await self._ask(_SASL_HANDSHAKE, 1, text("PLAIN"))).int16()
        if code:
            raise KafkaRefusal(f"login by PLAIN refused (error {code})")
        secret = f"\0{user}\0{password}".encode()
        answer = await self._ask(_SASL_AUTHENTICATE, 0, struct.pack(">i", len(secret)) + secret)
        if answer.int16():
            raise KafkaRefusal(answer.text() or "login refused")

    async def metadata(self) -> tuple[int, dict[str, list[int]]]:
        """The number of brokers, and the partitions of every topic that is not Kafka's own."""
        answer = await self._ask(_METADATA, 1, struct.pack(">i", -1))
        brokers = answer.int32()
        for _ in range(brokers):
            answer.int32(), answer.text(), answer.int32(), answer.text()
        answer.int32()  # the controller
        topics: dict[str, list[int]] = {}
        for _ in range(answer.int32()):
            answer.int16()
            name, internal = answer.text(), answer.int8()
            partitions = []
            for _ in range(answer.int32()):
                answer.int16()
                partitions.append(answer.int32())
                answer.int32()  # the leader
                for _ in range(2):  # the replicas, and those in step
                    for _ in range(answer.int32()):
                        answer.int32()
            if not internal:
                topics[name] = partitions
        return brokers, topics

    async def ends(self, topics: dict[str, list[int]]) -> list[int]:
        """The end of every partition: how many records it ever had."""
        asked = [
            text(name) + array([struct.pack(">iq", number, _LATEST) for number in numbers])
            for name, numbers in topics.items()
        ]
        answer = await self._ask(_LIST_OFFSETS, 1, struct.pack(">i", -1) + array(asked))
        found = []
        for _ in range(answer.int32()):
            answer.text()
            for _ in range(answer.int32()):
                _, code, _, offset = answer.int32(), answer.int16(), answer.int64(), answer.int64()
                if not code:
                    found.append(offset)
        return found

    async def settings(self, names: Sequence[str]) -> dict[str, str]:
        resource = struct.pack(">b", _BROKER) + text(NODE_ID) + array([text(name) for name in names])
        answer = await self._ask(_DESCRIBE_CONFIGS, 1, array([resource]) + b"\0")
        answer.int32()  # how long the broker throttled us
        found: dict[str, str] = {}
        for _ in range(answer.int32()):
            code, message, _, _ = answer.int16(), answer.text(), answer.int8(), answer.text()
            if code:
                raise KafkaRefusal(message or f"error {code}")
            for _ in range(answer.int32()):
                name, value = answer.text(), answer.text()
                answer.int8(), answer.int8(), answer.int8()
                for _ in range(answer.int32()):
                    answer.text(), answer.text(), answer.int8()
                found[name] = value
        return found

    async def close(self) -> None:
        with suppress(OSError):
            self._writer.close()

    async def _ask(self, api: int, version: int, body: bytes) -> Fields:
        request = struct.pack(">hhi", api, version, 1) + text("harness") + body
        self._writer.write(struct.pack(">i", len(request)) + request)
        try:
            (length,) = struct.unpack(">i", await self._reader.readexactly(4))
            if not 4 <= length <= 1 << 24:
                raise KafkaRefusal("not a Kafka broker")
            return Fields((await self._reader.readexactly(length))[4:])
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("closed by the broker") from None
