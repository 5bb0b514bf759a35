"""The baseline: one server, no broker. A published message arrives at once, in the same process."""

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
        for channel, seq, frame in messages:
            if channel in self._channels:
                self._receiver.on_message(channel, seq, frame)
        return True


KIND = BackplaneKind(name="memory", section=None, broker=None, build=lambda section, context: InMemory())
