import asyncio

import pytest

from harness.model.fault import FaultKind
from reference_server.backplane import nats_core
from reference_server.backplane.base import Outgoing
from reference_server.backplane.nats_core import KIND, Nats, NatsCore
from reference_server.metrics import Metrics
from tests.reference_server.fakes import until
from tests.reference_server.real_broker import built, carries_messages, comes_back, real_broker, running, seqs

pytestmark = pytest.mark.integration


def test_it_carries_messages() -> None:
    """A subscribed server gets the messages unchanged and in order."""
    asyncio.run(carries_messages(KIND))


@pytest.mark.parametrize("fault", [FaultKind.KILL, FaultKind.PAUSE])
def test_it_comes_back_after_its_broker(fault: FaultKind) -> None:
    """Every channel is subscribed again."""
    asyncio.run(comes_back(KIND, fault))


def test_only_wanted_channels_arrive() -> None:
    """NATS sends a message only to subscribed servers. After an unsubscribe and a new subscribe a message still arrives
    once."""

    async def main() -> None:
        async with real_broker("nats") as part:
            backplane = built(KIND, part)
            async with running(backplane) as (receiver,):
                backplane.subscribe(["a", "b"])
                backplane.unsubscribe(["a", "b"])
                backplane.subscribe(["a"])
                await until(lambda: ("subscribed", "a") in receiver.events)
                backplane.publish([Outgoing("b", 1, b""), Outgoing("a", 1, b""), Outgoing("a", 2, b"")])
                await until(lambda: 2 in seqs(receiver, "a"))
                assert seqs(receiver, "a") == [1, 2]
                assert seqs(receiver, "b") == []

    asyncio.run(main())


def test_the_queue_for_a_slow_broker_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of bytes that wait for publication is limited. Beyond it messages are only in the log."""
    monkeypatch.setattr(nats_core, "PUBLISH_BUFFER_BYTES", 100_000)

    async def main() -> None:
        async with real_broker("nats") as part:
            backplane = built(KIND, part)
            async with running(backplane):
                taken = [backplane.publish([Outgoing("c", 1, b"x" * 900_000)]) for _ in range(50)]
                assert taken[0]
                assert not taken[-1]
                await until(lambda: backplane.publish([Outgoing("c", 1, b"")]))

    asyncio.run(main())


def test_a_post_never_waits_for_the_broker() -> None:
    """Publishing is a plain call. It returns even without an event loop."""
    assert NatsCore(Nats(host="192.0.2.1"), Metrics()).publish([Outgoing("c", 1, b"")]) is False
