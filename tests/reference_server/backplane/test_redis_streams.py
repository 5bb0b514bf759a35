import asyncio

import pytest

from harness.model.fault import FaultKind
from reference_server.backplane.base import Outgoing
from reference_server.backplane.redis_streams import KIND, RedisStreams
from reference_server.backplane.resp_connection import RespConnection
from tests.reference_server.fakes import until
from tests.reference_server.real_broker import built, carries_messages, comes_back, real_broker, running, seqs

pytestmark = pytest.mark.integration


def test_it_carries_messages() -> None:
    """As published, in order, to a server that is subscribed."""
    asyncio.run(carries_messages(KIND))


@pytest.mark.parametrize("fault", [FaultKind.KILL, FaultKind.PAUSE])
def test_it_comes_back_after_its_broker(fault: FaultKind) -> None:
    """Also after one that was started again empty."""
    asyncio.run(comes_back(KIND, fault))


async def cut(backplane: RedisStreams) -> None:
    """Cut its reading connection."""
    assert isinstance(backplane._reader, RespConnection)
    backplane._reader.abort()
    await until(lambda: not backplane.up)


@pytest.mark.parametrize(("kept", "arrive"), [(10_000, True), (1, False)])
def test_a_connection_that_was_lost_goes_on_where_it_was(kept: int, arrive: bool) -> None:
    """What was published meanwhile comes out of the stream, before the confirmation. Where the stream no longer has the
    position, the message log has to give it: the stream's rest would only make a hole."""

    async def main() -> None:
        async with real_broker("redis") as part:
            sender, reader = built(KIND, part, entries=kept, streams=1), built(KIND, part, entries=kept, streams=1)
            assert isinstance(reader, RedisStreams)
            reader.subscribe(["general"])
            async with running(sender, reader) as (_, receiver):
                await until(lambda: ("subscribed", "general") in receiver.events)
                sender.publish([Outgoing("general", 1, b"")])
                await until(lambda: seqs(receiver, "general") == [1])
                receiver.events.clear()
                await cut(reader)
                sender.publish([Outgoing("general", seq, b"x" * 200) for seq in range(2, 1_002)])
                await until(lambda: ("subscribed", "general") in receiver.events)
                found = seqs(receiver, "general")
                assert found == (list(range(2, 1_002)) if arrive else [])
                assert receiver.events[-1] == ("subscribed", "general")

    asyncio.run(main())
