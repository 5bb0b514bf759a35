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
    """A subscribed server gets the messages unchanged and in order."""
    asyncio.run(carries_messages(KIND))


@pytest.mark.parametrize("fault", [FaultKind.KILL, FaultKind.PAUSE])
def test_it_comes_back_after_its_broker(fault: FaultKind) -> None:
    """This also holds if the broker was restarted empty."""
    asyncio.run(comes_back(KIND, fault))


async def cut(backplane: RedisStreams) -> None:
    """Cuts the reading connection."""
    assert isinstance(backplane._reader, RespConnection)
    backplane._reader.abort()
    await until(lambda: not backplane.up)


@pytest.mark.parametrize(("kept", "arrive"), [(10_000, True), (1, False)])
def test_a_connection_that_was_lost_goes_on_where_it_was(
    kept: int, arrive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream delivers the messages that were published meanwhile, before the confirmation. If the stream no longer
    has the position, it delivers none of them, because the rest would leave a hole. The message log then fills the
    hole."""

    async def main() -> None:
        async with real_broker("redis") as part:
            sender, reader, witness = (built(KIND, part, entries=kept, streams=1) for _ in range(3))
            assert isinstance(reader, RedisStreams)
            reader.subscribe(["general"])
            witness.subscribe(["general"])
            async with running(sender, reader, witness) as (_, receiver, witnessed):
                await until(lambda: ("subscribed", "general") in receiver.events)
                await until(lambda: ("subscribed", "general") in witnessed.events)
                sender.publish([Outgoing("general", 1, b"")])
                await until(lambda: seqs(receiver, "general") == [1])
                receiver.events.clear()
                published, find = asyncio.Event(), RedisStreams._find_positions

                async def find_when_all_is_published(self: RedisStreams, connection: RespConnection) -> None:
                    await published.wait()
                    await find(self, connection)

                monkeypatch.setattr(RedisStreams, "_find_positions", find_when_all_is_published)
                await cut(reader)
                sender.publish([Outgoing("general", seq, b"x" * 200) for seq in range(2, 1_002)])
                await until(lambda: 1_001 in seqs(witnessed, "general"))
                published.set()
                await until(lambda: ("subscribed", "general") in receiver.events)
                found = seqs(receiver, "general")
                assert found == (list(range(2, 1_002)) if arrive else [])
                assert receiver.events[-1] == ("subscribed", "general")

    asyncio.run(main())
