"""The script that numbers and publishes messages, in a real Valkey."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from reference_server.backplane.redis_pubsub import Redis, RedisPubSub
from reference_server.backplane.redis_sequencer import RECENT, RedisSequencer
from reference_server.backplane.sequencer import SequencerDown, Unseeded
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Post
from reference_server.protocol.server_events import message_frame
from tests.reference_server.fakes import FakeReceiver, until
from tests.reference_server.stack import Cluster, Valkey, fresh

pytestmark = pytest.mark.integration


def section(valkey: Valkey) -> Redis:
    return Redis(host="127.0.0.1", port=valkey.port, password=Valkey.PASSWORD)


def with_sequencer(valkey: Valkey, use: Callable[[RedisSequencer], Awaitable[None]]) -> None:
    async def main() -> None:
        sequencer = RedisSequencer(section(valkey))
        running = asyncio.create_task(sequencer.run())
        try:
            async with asyncio.timeout(10):
                await sequencer.until_up()
                await use(sequencer)
        finally:
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())


def test_numbers_follow_the_seed_and_what_is_known(cluster: Cluster) -> None:
    """A channel starts after its seed and counts on. A number that is known already is not given again."""
    channel = fresh()

    async def use(sequencer: RedisSequencer) -> None:
        with pytest.raises(Unseeded):
            await sequencer.publish(Post(channel, "a"), known=0, seed=None)
        first = await sequencer.publish(Post(channel, "a"), known=0, seed=41)
        second = await sequencer.publish(Post(channel, "b"), known=0, seed=None)
        third = await sequencer.publish(Post(channel, "c"), known=99, seed=None)
        assert (first.seq, second.seq, third.seq) == (42, 43, 100)
        assert first.epoch == third.epoch > 0
        assert await sequencer.newest([channel, fresh()]) == {channel: 100}
        assert await sequencer.recent([channel]) == [[(42, "a"), (43, "b"), (100, "c")]]

    with_sequencer(cluster.valkey, use)


def test_an_id_is_published_once(cluster: Cluster) -> None:
    """A repeated post gets the first number. If its answer was lost, the id still finds the number."""
    channel = fresh()

    async def use(sequencer: RedisSequencer) -> None:
        first = await sequencer.publish(Post(channel, "a", "id"), known=0, seed=0)
        again = await sequencer.publish(Post(channel, "a", "id"), known=0, seed=None)
        assert (first.seq, first.duplicate, again.seq, again.duplicate) == (1, False, 1, True)
        assert await sequencer.find(channel, "id") == 1
        assert await sequencer.find(channel, "other") is None
        assert await sequencer.recent([channel]) == [[(1, "a")]]

    with_sequencer(cluster.valkey, use)


@pytest.mark.parametrize("text", ["hello", "ü" * 100, '"\\' * 500, "\x01" * 16_000])
def test_the_frame_is_that_of_every_other_message(cluster: Cluster, text: str) -> None:
    """The script makes the frame itself, for each of the three lengths of a header."""
    channel = fresh()

    async def use(sequencer: RedisSequencer) -> None:
        receiver = FakeReceiver()
        backplane = RedisPubSub(section(cluster.valkey), Metrics())
        backplane.subscribe([channel])
        running = asyncio.create_task(backplane.run(receiver))
        await until(lambda: ("subscribed", channel) in receiver.events)
        await sequencer.publish(Post(channel, text), known=0, seed=2**40)
        expected = ("message", channel, 2**40 + 1, message_frame(channel, 2**40 + 1, text))
        await until(lambda: expected in receiver.events)
        running.cancel()
        await asyncio.wait((running,))

    with_sequencer(cluster.valkey, use)


def test_the_broker_keeps_the_newest_messages_only(cluster: Cluster) -> None:
    channel = fresh()

    async def use(sequencer: RedisSequencer) -> None:
        await sequencer.publish(Post(channel, "0"), known=0, seed=0)
        await asyncio.gather(
            *[sequencer.publish(Post(channel, str(n)), known=0, seed=None) for n in range(1, RECENT + 50)]
        )
        (rows,) = await sequencer.recent([channel])
        assert [seq for seq, _ in rows] == list(range(51, RECENT + 51))

    with_sequencer(cluster.valkey, use)


def test_a_restarted_broker_begins_a_new_epoch(folder: Path) -> None:
    """While the broker is down, nothing is published. Then the numbers continue after the known one."""
    valkey = Valkey(folder)
    valkey.start()

    async def use(sequencer: RedisSequencer) -> None:
        first = await sequencer.publish(Post("c", "a"), known=0, seed=7)
        await asyncio.to_thread(valkey.end)
        await until(lambda: not sequencer._up.is_set())
        with pytest.raises(SequencerDown):
            await sequencer.publish(Post("c", "b"), known=8, seed=None)
        await asyncio.to_thread(valkey.start)
        await sequencer.until_up()
        second = await sequencer.publish(Post("c", "b"), known=8, seed=3)
        assert (first.seq, second.seq) == (8, 9)
        assert second.epoch > first.epoch

    try:
        with_sequencer(valkey, use)
    finally:
        valkey.end()
