"""The baseline: one server, no broker. A published message arrives in the same process, in the next turn of its loop.

It does not arrive during the call: as with every backplane, a message is received after it was published, and the trace
shows both times.
"""

import asyncio
from collections.abc import Collection, Sequence

from reference_server.backplane.base import BackplaneKind, Outgoing, Receiver


class InMemory:
    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._channels: set[str] = set()

    @property
    def up(self) -> bool:
        return self._receiver is not None

    async def run(self, receiver: Receiver) -> None:
        self._receiver = receiver
        receiver.on_state(True)
        receiver.on_subscribed(self._channels)
        await asyncio.get_running_loop().create_future()  # nothing more to do until cancelled

    def subscribe(self, channels: Collection[str]) -> None:
        self._channels.update(channels)
        if self._receiver is not None:
            self._receiver.on_subscribed(channels)

    def unsubscribe(self, channels: Collection[str]) -> None:
        self._channels.difference_update(channels)

    def publish(self, messages: Sequence[Outgoing]) -> bool:
        if self._receiver is None:
            return False
        asyncio.get_running_loop().call_soon(self._deliver, self._receiver, tuple(messages))
        return True

    def _deliver(self, receiver: Receiver, messages: Sequence[Outgoing]) -> None:
        for channel, seq, frame in messages:
            if channel in self._channels:
                receiver.on_message(channel, seq, frame)


KIND = BackplaneKind(name="memory", section=None, broker=None, build=lambda section, context: InMemory())
