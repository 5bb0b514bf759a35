import asyncio
from collections.abc import Iterator

import pytest

from harness.environments.embedded.child import Child
from harness.environments.part import Part
from harness.model.fault import FaultKind
from reference_server.backplane.base import Outgoing
from reference_server.backplane.kafka import KIND, Kafka
from reference_server.backplane.kafka_topic import KafkaTopic
from reference_server.metrics import Metrics
from tests.reference_server.fakes import until
from tests.reference_server.real_broker import (
    LIMIT_S,
    built,
    carries_messages,
    comes_back,
    real_broker,
    running,
    seqs,
)

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("kafka")]


@pytest.fixture(scope="module")
def part() -> Iterator[Part[Child]]:
    """One broker for all tests of this module, because its start takes seconds."""
    with asyncio.Runner() as runner:
        broker = real_broker("kafka")
        yield runner.run(broker.__aenter__())
        runner.run(broker.__aexit__(None, None, None))


def test_it_carries_messages(part: Part[Child]) -> None:
    """A subscribed server gets the messages unchanged and in order. The first server creates the topic."""
    asyncio.run(carries_messages(KIND, part))


def test_it_comes_back_after_its_broker(part: Part[Child]) -> None:
    """A frozen broker keeps its connections open, and the client library reports no failure. Only a request to the
    broker shows it."""
    asyncio.run(comes_back(KIND, FaultKind.PAUSE, part))


def test_a_server_that_was_away_goes_on_where_it_was(part: Part[Child]) -> None:
    """The topic delivers the messages that were published meanwhile, each once."""

    async def main() -> None:
        sender, reader = built(KIND, part), built(KIND, part)
        async with running(sender):
            async with running(reader) as (receiver,):
                reader.subscribe(["away"])
                await until(lambda: ("subscribed", "away") in receiver.events, limit_s=LIMIT_S)
                sender.publish([Outgoing("away", 1, b"")])
                await until(lambda: seqs(receiver, "away") == [1], limit_s=LIMIT_S)
            sender.publish([Outgoing("away", seq, b"") for seq in range(2, 500)])
            async with running(reader) as (receiver,):
                await until(lambda: ("subscribed", "away") in receiver.events, limit_s=LIMIT_S)
                await until(lambda: len(seqs(receiver, "away")) >= 498, limit_s=LIMIT_S)
                assert seqs(receiver, "away") == list(range(2, 500))

    asyncio.run(main())


def test_a_post_never_waits_for_the_broker() -> None:
    """Publishing is a plain call. It returns even without an event loop."""
    assert KafkaTopic(Kafka(host="192.0.2.1"), Metrics()).publish([Outgoing("c", 1, b"")]) is False
