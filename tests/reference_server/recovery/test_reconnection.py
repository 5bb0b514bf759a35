"""From the loss of the broker to the last message, with backplane, gateway and recovery together in one process."""

import asyncio

import pytest

from reference_server.backplane.base import Outgoing
from reference_server.backplane.redis_pubsub import Redis, RedisPubSub
from reference_server.gateway.fan_out import FanOut
from reference_server.gateway.gateway import Gateway
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame
from reference_server.recovery import catch_up as catch_up_module
from reference_server.recovery import tail as tail_module
from reference_server.recovery.catch_up import CatchUp
from reference_server.server_trace import Trace
from reference_server.settings import Recovery
from tests.reference_server.fake_redis import FakeRedis
from tests.reference_server.fakes import FakeLog, FakeSocket, fake_connection, until


class Rig:
    """A server without sockets. One client is subscribed to channel "c" from the start."""

    def __init__(self, redis: FakeRedis, recovery: Recovery) -> None:
        self.redis, self.log, self.metrics, self.trace = redis, FakeLog(), Metrics(), Trace(1_000)
        self.backplane = RedisPubSub(Redis(host="127.0.0.1", port=redis.port), self.metrics)
        fan_out = FanOut(waiting_limit_bytes=10**9, trace=self.trace, metrics=self.metrics)
        self.subscriptions = Subscriptions(self.backplane)
        self.gateway = Gateway(self.subscriptions, fan_out, recovery=recovery, trace=self.trace, metrics=self.metrics)
        automatic = recovery == "automatic"
        self.catch_up = CatchUp(self.gateway, self.log, automatic=automatic)
        self.socket: FakeSocket

    def start(self) -> "asyncio.Task[object]":
        return asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.backplane.run(self.gateway))
            tasks.create_task(self.catch_up.run())

    async def join(self) -> None:
        connection, self.socket = fake_connection()
        channel = self.subscriptions.open("c")
        await channel.subscribed.wait()
        await self.catch_up.until_started(channel)
        self.subscriptions.attach(connection, channel, channel.flushed)

    def publish(self, seq: int) -> None:
        """Commits and then publishes, like the write path."""
        self.log.committed["c"] = seq
        assert self.backplane.publish([Outgoing("c", seq, message_frame("c", seq, f"text {seq}"))])

    async def published(self, seq: int) -> None:
        """Waits until Redis has received the message."""
        await until(lambda: any(c[0] == b"PUBLISH" and int.from_bytes(c[2][:8]) == seq for c in self.redis.commands))

    async def delivered(self, last: int) -> None:
        expected = b"".join(message_frame("c", seq, f"text {seq}") for seq in range(1, last + 1))
        await until(lambda: b"".join(self.socket.transport.written) == expected)

    async def reconnected_but_not_subscribed(self) -> None:
        await until(lambda: self.backplane.up and self.redis.postponed)


@pytest.mark.parametrize("recovery", ["automatic", "manual"])
def test_what_is_published_before_the_new_subscription_is_not_lost(
    recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is connected again but not yet subscribed. A message that is published now reaches no subscriber, and
    no sweep is due. The server reads the log after the confirmation and finds the message. With manual recovery a
    rebroadcast finds it."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)
    monkeypatch.setattr(tail_module, "FOLLOW_S", 3_600.0)

    async def main() -> None:
        redis = FakeRedis()
        async with redis.running():
            rig = Rig(redis, recovery)
            running = rig.start()
            await until(lambda: rig.backplane.up)
            await rig.join()
            rig.publish(1)
            await rig.delivered(1)
        await until(lambda: not rig.backplane.up and not rig.gateway.backplane_up)
        redis.postponed = []
        async with redis.running(redis.port):
            await rig.reconnected_but_not_subscribed()
            rig.publish(2)
            await rig.published(2)
            await rig.delivered(1)
            redis.execute_postponed()
            await until(lambda: rig.trace.backplane.rows(0, 10)[-1][0] == "subscribed")
            if recovery == "manual":
                await rig.delivered(1)
                assert await rig.catch_up.rebroadcast(["c"]) == 1
            await rig.delivered(2)
            rig.publish(3)
            await rig.delivered(3)
            assert rig.metrics.recovered == 1
            running.cancel()
            await asyncio.wait((running,))

    asyncio.run(main())
