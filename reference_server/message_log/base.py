"""What a message log must do: keep committed messages in order, and give them back.

The write path appends; recovery reads. Neither knows how the log stores messages.
"""

from collections.abc import Sequence
from typing import NewType, Protocol


class LogError(Exception):
    """The log did not carry out the request."""


class LogUnavailable(LogError):
    """It is certain that nothing was committed."""


class OutcomeUnknown(LogError):
    """The connection was lost, or time ran out, after the request was sent: it may or may not be committed."""


Mark = NewType("Mark", object)
"""A place in the whole log, over all channels. Only the log that made a mark can interpret it."""


class Log(Protocol):
    """Messages by (channel, seq). Every method raises LogUnavailable or OutcomeUnknown, within a bounded time.

    The commit decides the order of messages, so the log decides it, not the server that accepted a post and not the
    backplane. A write path publishes a message only with the seq that the log assigned. A log promises:

    * ``append`` assigns ``seq`` at its commit: 1, 2, 3 … without a gap in each channel. The order of seqs is the order
    of commits, also when several servers append.
    * A read that sees seq n of a channel also sees every seq before n. No earlier message becomes visible later.
    * Between channels there is no order.
    * A message never changes and is never removed.

    Who relies on these promises: ``gateway.channel`` treats the next seq as the next message, so a gap means a missing
    message. ``recovery.catch_up`` takes ``newest`` as the proof that all messages up to that seq exist, and pages
    through ``after`` without looking back. ``recovery.tail`` follows all channels at once with ``since``, and needs
    that no commit is skipped between two marks. Only the log knows how to find such a mark.
    """

    async def append(
        self, channels: Sequence[str], texts: Sequence[str], client_msg_ids: Sequence[str | None]
    ) -> Sequence[tuple[int, bool]]:
        """Commit a batch, all of it or nothing: (seq, duplicate) for each input, in the order of the input.

        A message whose ``client_msg_id`` exists in its channel is a duplicate: it is not stored again, and ``seq`` is
        that of the first one.
        """

    async def store(
        self,
        channels: Sequence[str],
        seqs: Sequence[int],
        texts: Sequence[str],
        client_msg_ids: Sequence[str | None],
    ) -> Sequence[bool]:
        """Commit messages that have a number already, for a write path that publishes first: whether each is stored
        now.

        False if the log holds another message under its (channel, seq) or its ``client_msg_id``. A repeated call has no
        further effect. With this method the promises about ``append`` do not hold: seqs may have holes and are not
        committed in order.
        """

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        """The newest committed seq of each of these channels; a channel without messages is left out."""

    async def newer(self, positions: Sequence[tuple[str, int]]) -> dict[str, int]:
        """The newest committed seq of each channel that has messages after its (channel, position); other channels are
        left out."""

    async def after(self, asked: Sequence[tuple[str, int]], limit: int) -> Sequence[Sequence[tuple[int, str | None]]]:
        """For each (channel, since) at most ``limit`` messages after ``since``, in order, without a gap: (seq, text).
        The text is None if the message is lost and will never come."""

    async def since(self, mark: Mark | None, limit: int) -> tuple[Mark, Sequence[tuple[str, int, str]]]:
        """What was committed since the call that gave ``mark``: (the next mark, (channel, seq, text) sorted).

        From mark to mark every commit is in at least one answer; a message may be in two. There are two exceptions. An
        answer of ``limit`` messages leaves out the rest, and later marks do not bring it. Without a mark the answer is
        empty and only gives the first mark.
        """


class History(Protocol):
    """The reads of the routes; they never wait behind an append or a recovery. Raises like ``Log``."""

    async def history(self, channel: str, since: int, limit: int) -> tuple[Sequence[tuple[int, str]], int]:
        """At most ``limit`` messages after ``since``, and the channel's newest seq, which is no older than they are."""

    async def ping(self) -> bool:
        """Whether the log answers now. Never raises."""
