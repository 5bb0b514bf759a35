import asyncio

from reference_server.backplane.base import Outgoing
from reference_server.backplane.in_memory import InMemory
from tests.reference_server.fakes import FakeReceiver, until


def test_in_memory_a_message_arrives_after_the_call_returned() -> None:
    """The baseline delivers in the next turn of the event loop, so no message is received before its publication. It
    delivers to subscribed channels only. It also confirms earlier subscriptions."""

    async def main() -> None:
        backplane, receiver = InMemory(), FakeReceiver()
        backplane.subscribe(["a"])
        assert not backplane.publish([Outgoing("a", 1, b"")])
        running = asyncio.create_task(backplane.run(receiver))
        await until(lambda: backplane.up)
        assert backplane.publish([Outgoing("a", 2, b"x"), Outgoing("b", 1, b"y")])
        assert ("message", "a", 2, b"x") not in receiver.events
        await until(lambda: ("message", "a", 2, b"x") in receiver.events)
        backplane.subscribe(["b"])
        backplane.unsubscribe(["a"])
        backplane.publish([Outgoing("a", 3, b"x"), Outgoing("b", 2, b"y")])
        await until(lambda: ("message", "b", 2, b"y") in receiver.events)
        assert receiver.events == [
            ("up",),
            ("subscribed", "a"),
            ("message", "a", 2, b"x"),
            ("subscribed", "b"),
            ("message", "b", 2, b"y"),
        ]
        running.cancel()

    asyncio.run(main())
