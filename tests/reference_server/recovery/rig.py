"""A gateway and its recovery, without backplane, sockets and PostgreSQL."""

import asyncio

from reference_server.gateway.fan_out import FanOut
from reference_server.gateway.gateway import Gateway
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame
from reference_server.recovery.catch_up import CatchUp
from reference_server.server_trace import Trace
from reference_server.settings import Recovery
from tests.reference_server.fakes import FakeBackplane, FakeLog, FakeSocket, fake_connection


class Rig:
    def __init__(self, *, recovery: Recovery = "automatic") -> None:
        self.log = FakeLog()
        self.metrics, self.trace = Metrics(), Trace(10_000)
        fan_out = FanOut(waiting_limit_bytes=10**9, trace=self.trace, metrics=self.metrics)
        self.subscriptions = Subscriptions(FakeBackplane())
        self.gateway = Gateway(self.subscriptions, fan_out, recovery=recovery, trace=self.trace, metrics=self.metrics)
        self.gateway.on_state(True)
        automatic = recovery == "automatic"
        self.catch_up = CatchUp(self.gateway, self.log, automatic=automatic)

    async def join(self, name: str) -> FakeSocket:
        connection, socket = fake_connection()
        channel = self.subscriptions.open(name)
        self.gateway.on_subscribed([name])
        await self.catch_up.until_started(channel)
        self.subscriptions.attach(connection, channel, channel.flushed)
        return socket

    async def __aenter__(self) -> "Rig":
        self._running = asyncio.create_task(self.catch_up.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait((self._running,))


def frames(first: int, last: int, name: str = "c") -> bytes:
    return b"".join(message_frame(name, seq, f"text {seq}") for seq in range(first, last + 1))
