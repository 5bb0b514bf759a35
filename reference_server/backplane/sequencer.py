"""What a broker must do for a write path that publishes before it stores: number messages, and keep the newest of
them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from reference_server.protocol.client_requests import Post


class SequencerError(Exception):
    """The broker did not carry out a request."""


class SequencerDown(SequencerError):
    """It is certain that nothing was published."""


class NumberUnknown(SequencerError):
    """The connection was lost after the request was sent: the message may or may not be published."""


class Unseeded(SequencerError):
    """The broker does not know the channel, and the request had no seed. Nothing was published."""


class Numbered(NamedTuple):
    """``epoch`` changes when the broker has lost its memory."""

    seq: int
    duplicate: bool
    epoch: int


class Sequencer(Protocol):
    """Every method raises SequencerDown, and ``publish`` also NumberUnknown and Unseeded, within a bounded time."""

    async def run(self) -> None:
        """Connect, and stay connected, until cancelled."""

    async def until_up(self) -> None:
        """Wait until the broker can be asked."""

    async def publish(self, post: Post, *, known: int, seed: int | None) -> Numbered:
        """Give the next number of the channel, publish, and keep the message, in one atomic step.

        The number is above ``known``, the highest that the caller has seen. A channel that the broker does not know
        begins after ``seed``. A ``client_msg_id`` that the broker has seen lately gives the first number again, and
        publishes nothing.
        """

    async def find(self, channel: str, client_msg_id: str) -> int | None:
        """The number under which this was published lately."""

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        """The newest number of each channel; a channel that the broker does not know is left out."""

    async def recent(self, channels: Sequence[str]) -> list[list[tuple[int, str]]]:
        """The newest messages of each channel that the broker keeps: (seq, text) in order."""
