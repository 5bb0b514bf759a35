"""The (client, message) pairs of which a load worker has a delivery: a repetition must not count as another delivery
that is missing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.model.plan import Plan
from harness.planning.arrivals import Schedule
from harness.planning.placement import client_channels, client_workers
from harness.recording.format import SOUND, UNVERIFIED

BLOCK_PAIRS = 1 << 20
_ROWS = 1 << 14
_UNSOUND, _IGNORED = -1, -2
"""The values in place of a channel: for a frame that is not as posted; and for a frame that was not compared, or whose
message was rejected."""

Rows = NDArray[np.void]


class ReachedPairs:
    """Counts pairs, each once. ``count``: pairs so far. ``broken``: deliveries that belong to no pair of their client,
    of frames that were compared with what was posted.

    A byte for each pair is kept in blocks of 1 MiB, in order of the schedule. A block whose pairs are all reached is
    given back, so the memory is that of the messages under way and of those that were lost, for runs of any length.
    """

    def __init__(self, plan: Plan, index: int, schedule: Schedule) -> None:
        mine = np.flatnonzero(client_workers(plan) == index)
        self._channel_of_client = client_channels(plan)
        channel = self._channel_of_client[mine]  # rises with the client
        sizes = np.bincount(channel, minlength=plan.channels)
        self._place = np.zeros(plan.clients, np.int64)
        self._place[mine] = np.arange(len(mine)) - (np.cumsum(sizes) - sizes)[channel]
        self._channel_of_message = schedule.channel.astype(np.int64)
        own = sizes[self._channel_of_message]
        self._own = own
        self._disregarded = np.zeros(len(own), np.bool_)
        self._base = np.cumsum(own) - own
        self._pairs = int(own.sum())
        self._blocks: dict[int, NDArray[np.bool_]] = {}
        self._left: dict[int, int] = {}
        # By frame: its channel, or what stands for it where it is not known to be as posted, and the number of the
        # first pair of its message.
        self._channel_of_frame = np.full(_ROWS, _UNSOUND, np.int64)
        self._base_of_frame = np.zeros(_ROWS, np.int64)
        self._frames = 0
        self.count = 0
        self.broken = 0

    def add_frames(self, rows: Rows) -> None:
        """Frames that were not known before, in order of their numbers, in the layout of frames-NN.npy."""
        end = self._frames + len(rows)
        if end > len(self._base_of_frame):
            more = max(end, len(self._base_of_frame))
            self._channel_of_frame = np.r_[self._channel_of_frame, np.full(more, _UNSOUND, np.int64)]
            self._base_of_frame = np.r_[self._base_of_frame, np.zeros(more, np.int64)]
        message = np.maximum(rows["message"], 0)
        channel = self._channel_of_message[message]
        sound = (rows["flaw"] == SOUND) & (rows["message"] >= 0) & (rows["channel"] == channel)
        ignored = (rows["flaw"] == UNVERIFIED) | self._disregarded[message]
        self._channel_of_frame[self._frames : end] = np.where(ignored, _IGNORED, np.where(sound, channel, _UNSOUND))
        self._base_of_frame[self._frames : end] = self._base[message]
        self._frames = end

    def disregard(self, messages: Sequence[int]) -> None:
        """Count no pair of these messages, and subtract those that are counted: the messages were rejected, so the
        fleet does not wait for them."""
        asked = np.unique(np.array(messages, np.int64))
        # A message without a client here may have the same base as another one.
        new = asked[(self._own[asked] > 0) & ~self._disregarded[asked]]
        self._disregarded[asked] = True
        bases = self._base_of_frame[: self._frames]
        self._channel_of_frame[: self._frames][np.isin(bases, self._base[new])] = _IGNORED
        for first, size in zip(self._base[new].tolist(), self._own[new].tolist(), strict=True):
            self.count -= self._marked(first, first + size)

    def _marked(self, first: int, end: int) -> int:
        """How many of the pairs from ``first`` up to ``end`` are reached."""
        found = 0
        for block in range(first // BLOCK_PAIRS, (end - 1) // BLOCK_PAIRS + 1):
            low, high = max(first - block * BLOCK_PAIRS, 0), min(end - block * BLOCK_PAIRS, BLOCK_PAIRS)
            if self._left.get(block) == 0:
                found += high - low
            elif block in self._blocks:
                found += int(np.count_nonzero(self._blocks[block][low:high]))
        return found

    def add(self, deliveries: Rows) -> None:
        """Deliveries whose frames are known, in the layout of deliveries-NN.npy."""
        client, frame = deliveries["client"].astype(np.intp), deliveries["frame"].astype(np.intp)
        pair = self._base_of_frame.take(frame) + self._place.take(client)
        channel = self._channel_of_frame.take(frame)
        meant = channel == self._channel_of_client.take(client)
        if not meant.all():
            self.broken += int(np.count_nonzero(~meant & (channel != _IGNORED)))
            pair = pair[meant]
        if not len(pair):
            return
        first, last = int(pair.min()) // BLOCK_PAIRS, int(pair.max()) // BLOCK_PAIRS
        for block in range(first, last + 1):
            self._mark(block, pair if first == last else pair[pair // BLOCK_PAIRS == block])

    def _mark(self, block: int, pair: NDArray[np.int64]) -> None:
        if not len(pair) or self._left.get(block) == 0:
            return
        if block not in self._blocks:
            size = min(BLOCK_PAIRS, self._pairs - block * BLOCK_PAIRS)
            self._blocks[block], self._left[block] = np.zeros(size, np.bool_), size
        at = pair - block * BLOCK_PAIRS
        low, high = int(at.min()), int(at.max()) + 1
        window = self._blocks[block][low:high]
        before = np.count_nonzero(window)
        window[at - low] = True
        new = int(np.count_nonzero(window) - before)
        self.count += new
        self._left[block] -= new
        if not self._left[block]:
            del self._blocks[block]
