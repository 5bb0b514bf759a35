"""A gateway with its fan-out, without backplane, recovery and sockets."""

import asyncio

from reference_server.gateway.client_connection import Connection
from reference_server.gateway.fan_out import FanOut
from reference_server.gateway.gateway import Gateway
from reference_server.gateway.pacing import Pacing
from reference_server.gateway.subscriptions import Subscriptions
from reference_server.metrics import Metrics
from reference_server.server_trace import Trace
from reference_server.settings import Recovery
from tests.reference_server.fakes import FakeBackplane, FakeSocket, fake_connection, frame

LIMIT = 1_000


class NoPause(Pacing):
    """Pacing without pauses. On a busy machine real pauses would decide when a message is written."""

    def pause_after(self, channel_s: float, lateness_s: float) -> float:
        return 0.0


class Rig:
    """A gateway with the channel "c" open at position 0. Its backplane is up, and it flushes without a pause."""

    def __init__(self, *, recovery: Recovery = "automatic", backplane_delay_s: float = 0.0) -> None:
        self.metrics = Metrics()
        self.trace = Trace(1_000)
        self.backplane = FakeBackplane()
        self.fan_out = FanOut(waiting_limit_bytes=LIMIT, trace=self.trace, metrics=self.metrics)
        self.fan_out._pacing = NoPause()
        self.subscriptions = Subscriptions(self.backplane)
        self.gateway = Gateway(
            self.subscriptions,
            self.fan_out,
            recovery=recovery,
            trace=self.trace,
            metrics=self.metrics,
            backplane_delay_s=backplane_delay_s,
        )
        self.gateway.on_state(True)
        self.channel = self.subscriptions.open("c")
        self.gateway.start_channel("c", 0)

    def join(self, position: int = 0) -> tuple[Connection, FakeSocket]:
        connection, socket = fake_connection()
        self.subscriptions.open("c")
        self.subscriptions.attach(connection, self.channel, position)
        return connection, socket

    def arrive(self, *seqs: int) -> None:
        for seq in seqs:
            self.gateway.on_message("c", seq, frame(seq))


async def turns() -> None:
    """Runs the callbacks of the event loop that are due now."""
    for _ in range(5):
        await asyncio.sleep(0)


def text(socket: FakeSocket) -> bytes:
    return b"".join(socket.transport.written)
